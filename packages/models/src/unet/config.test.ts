import { expect, test } from 'vitest'
import { ConfigError, ShapeError } from '@antipode/core'
import { flopsPerImage, parameterCount, type UNet2DConfig } from './index.ts'
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

test("diffusers' own file of a configuration makes the model that its short form makes", () => {
  const [short] = golden.cases.filter(({ name }) => name === 'lists for every block, and no middle')
  expect(parameterCount(golden.saved as unknown as UNet2DConfig)).toBe(short!.params)
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
  const whole = {
    _class_name: 'UNet2DConditionModel', _diffusers_version: '0.6.0', _name_or_path: 'x', act_fn: 'silu', upcast_attention: true,
    addition_embed_type_num_heads: 8, dropout: 0, sample_size: 96, resnet_skip_time_act: false, cross_attention_norm: null,
  } as const
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
  [{ act_fn: 'tanh' }, "expected act_fn to be 'silu' or 'swish' or 'mish' or 'gelu' or 'relu', got 'tanh'"],
  [{ timestep_post_act: 'tanh' }, 'expected timestep_post_act to be'],
  [{ time_embedding_act_fn: 3 }, 'expected time_embedding_act_fn to be'],
  [{ dropout: 0.1 }, 'expected dropout to be 0'],
  [{ only_cross_attention: [false, true] }, 'expected 4 entries in only_cross_attention, got 2'],
  [{ down_block_types: ['DownBlock2D'] }, 'expected 4 entries in down_block_types, got 1'],
  [{ down_block_types: ['DownBlock3D', 'DownBlock2D', 'DownBlock2D', 'DownBlock2D'] }, 'expected down_block_types to be a list'],
  [{ attention_head_dim: [8, 8] }, 'expected 4 entries in attention_head_dim, got 2'],
  [{ attention_head_dim: 7 }, 'expected heads in attention_head_dim that divide the channels of CrossAttnDownBlock2D, got 7 for 320'],
  [{ norm_num_groups: 7 }, 'expected norm_num_groups that divides block_out_channels, got 7 for 320'],
  [{ norm_num_groups: null }, 'expected norm_num_groups to be'],
  [{ norm_eps: Number.NaN }, 'expected norm_eps to be'],
  [{ addition_embed_type: 'text_time' }, 'expected addition_time_embed_dim and projection_class_embeddings_input_dim'],
  [{ transformer_layers_per_block: [[1], [1], [1], [1]] }, 'expected transformer_layers_per_block to be'],
  [{ transformer_layers_per_block: [1, [1], 1, 1], reverse_transformer_layers_per_block: [1, 1, [1, 1, 1], 1] }, 'expected 2 numbers in each list of transformer_layers_per_block'],
  [{ transformer_layers_per_block: 1, reverse_transformer_layers_per_block: [1, [1, 1], 1, 1] }, 'expected 3 numbers in each list of reverse_transformer_layers_per_block'],
  [{ sample_size: [1] }, 'expected sample_size to be'],
  [{ dual_cross_attention: true }, 'expected dual_cross_attention to be false'],
  [{ attention_type: 'gated' }, 'expected attention_type to be "default"'],
  [{ addition_embed_type: 'image' }, 'expected addition_embed_type to be'],
  [{ addition_embed_type: 'text_image' }, 'expected addition_embed_type to be'],
  [{ addition_embed_type: 'image_hint' }, 'expected addition_embed_type to be'],
  [{ addition_embed_type: 'text', addition_embed_type_num_heads: 7 }, 'expected addition_embed_type_num_heads that divides the context, got 7 for 1280'],
  [{ addition_embed_type: 'text', cross_attention_dim: [8, 8, 8, 8] }, 'expected one cross_attention_dim'],
  [{ encoder_hid_dim_type: 'image_proj', encoder_hid_dim: 8 }, "expected encoder_hid_dim_type to be 'text_proj' or null"],
  [{ encoder_hid_dim_type: 'ip_image_proj' }, 'expected encoder_hid_dim_type to be'],
  [{ encoder_hid_dim_type: 'text_proj' }, 'expected encoder_hid_dim with encoder_hid_dim_type'],
  [{ encoder_hid_dim: 8, cross_attention_dim: [8, 8, 8, 8] }, 'expected one cross_attention_dim for all blocks'],
  [{ class_embed_type: 'projection' }, 'expected projection_class_embeddings_input_dim with class_embed_type projection'],
  [{ class_embed_type: 'onehot' }, 'expected class_embed_type to be'],
  [{ class_embeddings_concat: true }, 'expected class_embed_type or num_class_embeds with class_embeddings_concat'],
  [{ conv_in_kernel: 2 }, 'expected conv_in_kernel to be an odd number'],
  [{ conv_out_kernel: 4 }, 'expected conv_out_kernel to be an odd number'],
  [{ time_embedding_type: 'learned' }, 'expected time_embedding_type to be'],
  [{ time_embedding_dim: 7 }, 'expected time_embedding_dim to be an even number'],
  [{ resnet_time_scale_shift: 'ada_group' }, 'expected resnet_time_scale_shift to be'],
  [{ mid_block_scale_factor: 0 }, 'expected mid_block_scale_factor to be'],
  [{ down_block_types: ['KDownBlock2D', 'DownBlock2D', 'DownBlock2D', 'DownBlock2D'] }, 'expected down_block_types to be'],
  [{ up_block_types: ['UpBlock2D', 'UpBlock2D', 'UpBlock2D', 'KCrossAttnUpBlock2D'] }, 'expected up_block_types to be'],
  [{ mid_block_type: 'UNetMidBlock2DSimpleCrossAttn', cross_attention_norm: 'layer_norm', cross_attention_dim: 8 }, 'expected cross_attention_dim of 1280'],
  [{ mid_block_type: 'UNetMidBlock2DSimpleCrossAttn', cross_attention_norm: 'group_norm', cross_attention_dim: 8 }, 'expected cross_attention_dim that 32 divides'],
  [{ cross_attention_norm: 'rms_norm' }, 'expected cross_attention_norm to be'],
])('a configuration with %j is refused by name', (fields, message) => {
  expect(() => parameterCount(fields as UNet2DConfig)).toThrow(ConfigError)
  expect(() => parameterCount(fields as UNet2DConfig)).toThrow(message)
})

test('work cannot be counted without a size, nor for one that a convolution without padding cannot halve', () => {
  expect(() => flopsPerImage({})).toThrow(ConfigError)
  expect(() => flopsPerImage({ ...sd2, sample_size: 9, downsample_padding: 0 })).toThrow(ShapeError)
  expect(flopsPerImage({ ...sd2, sample_size: 9 })).toBeGreaterThan(flopsPerImage({ ...sd2, sample_size: 8 }))
})

test('work is counted with every kind of condition', () => {
  const tiny: UNet2DConfig = {
    block_out_channels: [8], norm_num_groups: 4, down_block_types: ['DownBlock2D'], up_block_types: ['UpBlock2D'], mid_block_type: null,
    sample_size: 4, projection_class_embeddings_input_dim: 10,
  }
  const more = (fields: UNet2DConfig): number => flopsPerImage({ ...tiny, ...fields }) - flopsPerImage(tiny)
  expect(more({ class_embed_type: 'identity' })).toBe(0)
  expect(more({ class_embed_type: 'simple_projection' })).toBe(2 * 10 * 32)
  expect(more({ class_embed_type: 'timestep' })).toBe(2 * (8 * 32 + 32 * 32))
  expect(more({ class_embed_type: 'projection' })).toBe(2 * (10 * 32 + 32 * 32))
})
