import type { AutoencoderKLConfig, CLIPTextConfig, UNet2DConfig } from '@antipode/models'

// Configurations of the published checkpoints, so that made-up weights make a model of the true size.

const vae: AutoencoderKLConfig = {
  block_out_channels: [128, 256, 512, 512],
  layers_per_block: 2,
  latent_channels: 4,
  sample_size: 512,
  scaling_factor: 0.18215,
  norm_num_groups: 32,
  down_block_types: new Array<'DownEncoderBlock2D'>(4).fill('DownEncoderBlock2D'),
  up_block_types: new Array<'UpDecoderBlock2D'>(4).fill('UpDecoderBlock2D'),
}

const clipL: CLIPTextConfig = {
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  hidden_act: 'quick_gelu',
  projection_dim: 768,
  vocab_size: 49_408,
  max_position_embeddings: 77,
  bos_token_id: 49_406,
  eos_token_id: 49_407,
  pad_token_id: 49_407,
}

const bigG: CLIPTextConfig = {
  hidden_size: 1280,
  intermediate_size: 5120,
  num_hidden_layers: 32,
  num_attention_heads: 20,
  hidden_act: 'gelu',
  projection_dim: 1280,
  vocab_size: 49_408,
  max_position_embeddings: 77,
  bos_token_id: 49_406,
  eos_token_id: 49_407,
  pad_token_id: 1,
}

const unet: UNet2DConfig = {
  sample_size: 64,
  in_channels: 4,
  out_channels: 4,
  block_out_channels: [320, 640, 1280, 1280],
  layers_per_block: 2,
  cross_attention_dim: 768,
  attention_head_dim: 8,
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
}

const unetXL: UNet2DConfig = {
  sample_size: 128,
  in_channels: 4,
  out_channels: 4,
  block_out_channels: [320, 640, 1280],
  layers_per_block: 2,
  cross_attention_dim: 2048,
  attention_head_dim: [5, 10, 20],
  transformer_layers_per_block: [1, 2, 10],
  use_linear_projection: true,
  addition_embed_type: 'text_time',
  addition_time_embed_dim: 256,
  projection_class_embeddings_input_dim: 2816,
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
}

const betas = {
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  num_train_timesteps: 1000,
  steps_offset: 1,
}

/** A family: configurations of its parts, of its scheduler, and what `model_index.json` says besides. */
export const families = {
  sd15: {
    pipeline: 'StableDiffusionPipeline',
    scheduler: { _class_name: 'DDIMScheduler', ...betas, clip_sample: false, set_alpha_to_one: false },
    parts: { unet, vae, text_encoder: clipL },
    index: {},
  },
  sdxl: {
    pipeline: 'StableDiffusionXLPipeline',
    scheduler: {
      _class_name: 'EulerDiscreteScheduler',
      ...betas,
      timestep_spacing: 'leading',
      interpolation_type: 'linear',
    },
    parts: {
      unet: unetXL,
      vae: { ...vae, sample_size: 1024, scaling_factor: 0.13025, force_upcast: false },
      text_encoder: clipL,
      text_encoder_2: bigG,
    },
    index: { force_zeros_for_empty_prompt: true },
  },
} as const

export type FamilyName = keyof typeof families
