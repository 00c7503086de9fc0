import { ConfigError } from '@antipode/core'
import { checkArgument, whole } from '@antipode/core/options'
import type { AutoencoderKLConfig, CLIPTextConfig, CLIPVisionConfig, UNet2DConfig } from '@antipode/models'

/** Configurations of the models of a pipeline, with the names of their files. */
export interface PipelineConfigs {
  readonly vae: AutoencoderKLConfig
  readonly text_encoder: CLIPTextConfig
  readonly unet: UNet2DConfig
  /** As `scheduler_config.json` has it. */
  readonly scheduler: Readonly<Record<string, unknown>> & { readonly _class_name: string }
}

/** Configurations of the towers of a CLIP, with the names of its file. */
export interface ClipConfigs {
  readonly text_config: CLIPTextConfig
  readonly vision_config: CLIPVisionConfig
}

/** Most tokens of a prompt, begin and end among them. */
const tokens = 24
const width = 128

/**
 * A Stable Diffusion for pictures of some 64 pixels a side, small enough to be trained on two cores in hours: an
 * autoencoder of four pixels a latent, a text encoder that learns with the UNet, and a UNet of 8 million parameters that
 * predicts v, from a schedule whose last step is noise alone, so that white pictures can be drawn (Lin et al. 2023, arXiv
 * 2305.08891).
 * @param side of the pictures, in pixels: a multiple of 16
 * @param vocabulary tokens of the tokenizer, the last two of which begin and end a prompt
 * @throws {ConfigError} if the side is none
 */
export function smallStableDiffusion(side: number, vocabulary: number): PipelineConfigs {
  checkSizes('smallStableDiffusion', side, vocabulary, 16)
  return {
    vae: {
      block_out_channels: [32, 64, 64], layers_per_block: 1, latent_channels: 4, norm_num_groups: 8, sample_size: side,
      down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D'],
      up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D'],
      mid_block_add_attention: false,
    },
    text_encoder: textTower(vocabulary),
    unet: {
      sample_size: side / 4, in_channels: 4, out_channels: 4, block_out_channels: [64, 96, 160], layers_per_block: 1,
      down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
      up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
      cross_attention_dim: width, attention_head_dim: 4, norm_num_groups: 16,
    },
    scheduler: {
      _class_name: 'DDIMScheduler', num_train_timesteps: 1000, beta_start: 0.00085, beta_end: 0.012,
      beta_schedule: 'scaled_linear', prediction_type: 'v_prediction', rescale_betas_zero_snr: true,
      timestep_spacing: 'trailing', clip_sample: false, set_alpha_to_one: true, steps_offset: 0,
    },
  }
}

/**
 * A CLIP for the same pictures: the text tower of {@link smallStableDiffusion}, and a vision tower of patches of 8×8
 * pixels; two million parameters.
 * @param side of the pictures, in pixels: a multiple of 8
 * @param vocabulary tokens of the tokenizer, the last two of which begin and end a prompt
 * @throws {ConfigError} if the side is none
 */
export function smallClip(side: number, vocabulary: number): ClipConfigs {
  checkSizes('smallClip', side, vocabulary, 8)
  return {
    text_config: textTower(vocabulary),
    vision_config: {
      hidden_size: width, intermediate_size: 4 * width, num_hidden_layers: 4, num_attention_heads: 4, image_size: side,
      patch_size: 8, projection_dim: width,
    },
  }
}

function textTower(vocabulary: number): CLIPTextConfig {
  return {
    vocab_size: vocabulary, hidden_size: width, intermediate_size: 4 * width, num_hidden_layers: 4,
    num_attention_heads: 4, max_position_embeddings: tokens, projection_dim: width,
    bos_token_id: vocabulary - 2, eos_token_id: vocabulary - 1, pad_token_id: vocabulary - 1,
  }
}

function checkSizes(where: string, side: number, vocabulary: number, multiple: number): void {
  checkArgument(where, 'side', side, whole(multiple))
  if (side % multiple !== 0) throw new ConfigError(`${where}: expected a side that is a multiple of ${multiple}, got ${side}`)
  checkArgument(where, 'vocabulary', vocabulary, whole(3))
}
