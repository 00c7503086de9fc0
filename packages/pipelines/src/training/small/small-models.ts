import { ConfigError } from '@antipode/core'
import { checkArgument, whole } from '@antipode/core/options'
import type { AutoencoderKLConfig, CLIPTextConfig, UNet2DConfig } from '@antipode/models'

/** Configurations of the models of a pipeline, with the names of their files. */
export interface PipelineConfigs {
  readonly vae: AutoencoderKLConfig
  readonly text_encoder: CLIPTextConfig
  readonly unet: UNet2DConfig
  /** As `scheduler_config.json` has it. */
  readonly scheduler: Readonly<Record<string, unknown>> & { readonly _class_name: string }
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
  checkArgument('smallStableDiffusion', 'side', side, whole(16))
  if (side % 16 !== 0) throw new ConfigError(`smallStableDiffusion: expected a side that is a multiple of 16, got ${side}`)
  checkArgument('smallStableDiffusion', 'vocabulary', vocabulary, whole(3))
  return {
    vae: {
      block_out_channels: [32, 64, 64], layers_per_block: 1, latent_channels: 4, norm_num_groups: 8, sample_size: side,
      down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D'],
      up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D'],
      mid_block_add_attention: false,
    },
    text_encoder: {
      vocab_size: vocabulary, hidden_size: width, intermediate_size: 4 * width, num_hidden_layers: 4,
      num_attention_heads: 4, max_position_embeddings: tokens, projection_dim: width,
      bos_token_id: vocabulary - 2, eos_token_id: vocabulary - 1, pad_token_id: vocabulary - 1,
    },
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
