import { expect, test } from 'vitest'
import { ConfigError, ShapeError } from '@antipode/core'
import { flopsPerImage, parameterCount, type UNet2DConfig } from './index.ts'

const sd2: UNet2DConfig = { attention_head_dim: [5, 10, 20, 20], cross_attention_dim: 1024, use_linear_projection: true }
const sdxl: UNet2DConfig = {
  block_out_channels: [320, 640, 1280],
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
  transformer_layers_per_block: [1, 2, 10],
  attention_head_dim: [5, 10, 20],
  cross_attention_dim: 2048,
  use_linear_projection: true,
  addition_embed_type: 'text_time',
  addition_time_embed_dim: 256,
  projection_class_embeddings_input_dim: 2816,
}

// Counted on the models that diffusers builds from the same configurations.
test('Stable Diffusion 1.5, 2.1 and XL have the parameters of their checkpoints', () => {
  expect(parameterCount({ cross_attention_dim: 768 })).toBe(859_520_964)
  expect(parameterCount(sd2)).toBe(865_910_724)
  expect(parameterCount(sdxl)).toBe(2_567_463_684)
})

test('work grows with the number of pixels, and attention faster', () => {
  const small: UNet2DConfig = {
    block_out_channels: [16], down_block_types: ['DownBlock2D'], up_block_types: ['UpBlock2D'], mid_block_type: 'UNetMidBlock2D',
    in_channels: 1, out_channels: 1, norm_num_groups: 4, layers_per_block: 1, sample_size: 8,
  }
  // Convolutions at 64 pixels: in and out 1↔16, four resnets of which three take what comes across, and their shortcuts.
  const channels = [1 * 9 * 16, 16 * 9 * 1, 2 * (16 * 9 * 16) * 2, 2 * (32 * 9 * 16 + 16 * 9 * 16 + 32 * 16)]
  const perImage = 2 * 64 * channels.reduce((a, b) => a + b, 0)
  // Time: 16 -> 64 -> 64, and 64 -> 16 in each resnet.
  const time = 2 * (16 * 64 + 64 * 64 + 4 * 64 * 16)
  expect(flopsPerImage(small)).toBe(perImage + time)
  expect(flopsPerImage({ ...small, sample_size: 16 })).toBe(4 * perImage + time)
  const seeing = { ...small, add_attention: true, attention_head_dim: 8 }
  expect(flopsPerImage({ ...seeing, sample_size: 16 })).toBeGreaterThan(4 * flopsPerImage(seeing) - 3 * time)
})

test('fields that would change the result and are not known here are refused by name', () => {
  expect(() => parameterCount({ act_fn: 'gelu' } as UNet2DConfig)).toThrow('expected act_fn to be silu or swish, got "gelu"')
  expect(() => parameterCount({ down_block_types: ['DownBlock2D'] })).toThrow('expected 4 entries in down_block_types, got 1')
  expect(() => parameterCount({ mid_block_type: 'MidBlock' as never })).toThrow(ConfigError)
  expect(() => parameterCount({ attention_head_dim: [8, 8] })).toThrow('expected 4 entries in attention_head_dim, got 2')
  expect(() => parameterCount({ addition_embed_type: 'text_time' })).toThrow(ConfigError)
  expect(() => flopsPerImage({})).toThrow(ConfigError)
  expect(() => flopsPerImage({ ...sd2, norm_num_groups: 7, sample_size: 8 })).toThrow(ShapeError)
})
