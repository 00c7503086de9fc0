import type { CLIPTextConfig } from '../clip/index.ts'
import type { UNet2DConfig } from '../unet/index.ts'
import type { Family } from './identify.ts'

// Configurations of the published families, as the repositories of the models have them, but for fields that change
// nothing.

const early = {
  in_channels: 4, out_channels: 4, block_out_channels: [320, 640, 1280, 1280], layers_per_block: 2,
  transformer_layers_per_block: 1,
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
} satisfies UNet2DConfig
const xl = {
  in_channels: 4, out_channels: 4, layers_per_block: 2, use_linear_projection: true, sample_size: 128,
  addition_embed_type: 'text_time', addition_time_embed_dim: 256,
} satisfies UNet2DConfig

/** UNets. */
export const unetConfigs: Readonly<Record<Family, UNet2DConfig>> = {
  sd1: { ...early, cross_attention_dim: 768, attention_head_dim: 8, use_linear_projection: false, sample_size: 64 },
  sd2: {
    ...early, cross_attention_dim: 1024, attention_head_dim: [5, 10, 20, 20], use_linear_projection: true,
    sample_size: 96,
  },
  sdxl: {
    ...xl, block_out_channels: [320, 640, 1280], attention_head_dim: [5, 10, 20],
    transformer_layers_per_block: [1, 2, 10], cross_attention_dim: 2048,
    down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
    up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
    projection_class_embeddings_input_dim: 2816,
  },
  'sdxl-refiner': {
    ...xl, block_out_channels: [384, 768, 1536, 1536], attention_head_dim: [6, 12, 24, 24],
    transformer_layers_per_block: [1, 4, 4, 4], cross_attention_dim: 1280,
    down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
    up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
    projection_class_embeddings_input_dim: 2560,
  },
}

const tower: CLIPTextConfig = {
  vocab_size: 49_408, hidden_size: 768, intermediate_size: 3072, num_hidden_layers: 12, num_attention_heads: 12,
  max_position_embeddings: 77,
}
const clipL: CLIPTextConfig = {
  ...tower, hidden_act: 'quick_gelu', layer_norm_eps: 1e-5, bos_token_id: 0, eos_token_id: 2, pad_token_id: 1,
}
const clipH: CLIPTextConfig = {
  ...clipL, hidden_act: 'gelu', hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 23,
  num_attention_heads: 16,
}
const bigG: CLIPTextConfig = {
  ...clipL, hidden_act: 'gelu', hidden_size: 1280, intermediate_size: 5120, num_hidden_layers: 32,
  num_attention_heads: 20, projection_dim: 1280,
}

/** Text encoders: OpenAI's, and OpenCLIP's H and bigG. */
export const clipConfigs: Readonly<Record<'clipL' | 'clipH' | 'bigG', CLIPTextConfig>> = { clipL, clipH, bigG }
