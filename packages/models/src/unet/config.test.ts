import { expect, test } from 'vitest'
import { ConfigError, ShapeError, tensor } from '@antipode/core'
import { placeholders } from '@antipode/core/nn'
import { FakeHost, interpret } from '@antipode/core/testing'
import { waveParameter, waves } from '../testing/index.ts'
import { flopsPerImage, parameterCount, type UNet2DConfig, UNet2DConditionModel } from './index.ts'
import golden from './unet-configs.golden.json' with { type: 'json' }

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

test.each(golden.cases)('diffusers\' configuration file with $name makes the model of diffusers, in float64 to six digits', async ({ config, params, output }) => {
  const host = new FakeHost()
  const model = new UNet2DConditionModel(placeholders(host), config as unknown as UNet2DConfig)
  expect(model.parameterCount).toBe(params)
  await model.load(new Map([...model.namedParameters()].map(([name, t]) => [name, waveParameter(host, name, t.shape)])))
  const [sample, context] = [waves(host, 'input.sample', [1, 2, 4, 4], 0, 1), waves(host, 'input.ctx', [1, 3, 12], 0, 1)]
  const classLabels = config.num_class_embeds === null ? {} : { classLabels: tensor(host, [1], [1], { dtype: 'i32' }) }
  const [out = []] = interpret([model.forward(sample, 500, { context, ...classLabels })])
  output.first8.forEach((want, i) => { expect(out[i]).toBeCloseTo(want, 5) })
  expect([...out].reduce((sum, v) => sum + Math.abs(v), 0) / out.length).toBeCloseTo(output.absSum / out.length, 6)
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
  expect(flopsPerImage({ ...small, sample_size: [8, 16] })).toBe(2 * perImage + time)
  const seeing = { ...small, add_attention: true, attention_head_dim: 8 }
  expect(flopsPerImage({ ...seeing, sample_size: 16 })).toBeGreaterThan(4 * flopsPerImage(seeing) - 3 * time)
})

test('fields that change nothing are taken, as files of diffusers have them', () => {
  const whole = { _class_name: 'UNet2DConditionModel', _diffusers_version: '0.6.0', _name_or_path: 'x', act_fn: 'silu', upcast_attention: true, addition_embed_type_num_heads: 8, dropout: 0, sample_size: 96 }
  expect(parameterCount({ ...sd2, ...whole })).toBe(865_910_724)
})

test.each<[Readonly<Record<string, unknown>>, string]>([
  [{ layers_per_blok: 1 }, 'got layers_per_blok'],
  [{ _class_name: 'UNet2DModel' }, 'expected _class_name to be "UNet2DConditionModel"'],
  [{ attention_head_dim: null }, 'expected attention_head_dim to be a whole number of 1 or more'],
  [{ layers_per_block: [2, 2] }, 'expected 4 entries in layers_per_block, got 2'],
  [{ layers_per_block: [2, 2, 2, 0] }, 'expected layers_per_block to be'],
  [{ layers_per_block: 2.5 }, 'expected layers_per_block to be'],
  [{ layers_per_block: '2' }, 'expected layers_per_block to be'],
  [{ mid_block_type: 'MidBlock' }, "expected mid_block_type to be 'UNetMidBlock2D' or"],
  [{ act_fn: 'gelu' }, 'expected act_fn to be "silu" or "swish"'],
  [{ dropout: 0.1 }, 'expected dropout to be 0'],
  [{ only_cross_attention: [false, true, false, false] }, 'expected only_cross_attention to be false'],
  [{ down_block_types: ['DownBlock2D'] }, 'expected 4 entries in down_block_types, got 1'],
  [{ down_block_types: ['DownBlock3D', 'DownBlock2D', 'DownBlock2D', 'DownBlock2D'] }, 'expected down_block_types to be a list'],
  [{ attention_head_dim: [8, 8] }, 'expected 4 entries in attention_head_dim, got 2'],
  [{ attention_head_dim: 7 }, 'expected heads in attention_head_dim that divide the channels of CrossAttnDownBlock2D, got 7 for 320'],
  [{ norm_num_groups: 7 }, 'expected norm_num_groups that divides block_out_channels, got 7 for 320'],
  [{ norm_num_groups: null }, 'expected norm_num_groups to be'],
  [{ norm_eps: Number.NaN }, 'expected norm_eps to be'],
  [{ addition_embed_type: 'text_time' }, 'expected addition_time_embed_dim and projection_class_embeddings_input_dim'],
  [{ transformer_layers_per_block: [[1], [1], [1], [1]] }, 'expected transformer_layers_per_block to be'],
  [{ sample_size: [1] }, 'expected sample_size to be'],
])('a configuration with %j is refused by name', (fields, message) => {
  expect(() => parameterCount(fields as UNet2DConfig)).toThrow(ConfigError)
  expect(() => parameterCount(fields as UNet2DConfig)).toThrow(message)
})

test('work cannot be counted without a size, nor for one that cannot be halved', () => {
  expect(() => flopsPerImage({})).toThrow(ConfigError)
  expect(() => flopsPerImage({ ...sd2, sample_size: 9 })).toThrow(ShapeError)
})
