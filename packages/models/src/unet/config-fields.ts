import {
  atLeast, checkOptions, either, finite, flag, listOf, oneOf, positive, type Range, type Ranges, whole,
} from '@antipode/core/options'
import { any, filled, only, orNull } from '../config-ranges.ts'
import { activations } from '../layers/index.ts'
import type { UNet2DConfig } from './config.ts'

const size = whole(1)
const perBlock = either(size, filled(size))
const counts = listOf(either(size, filled(size)))
const two: Range = {
  expected: 'two such numbers', accepts: (v) => listOf(size).accepts(v) && (v as unknown[]).length === 2,
}
const odd: Range = { expected: 'an odd number of 1 or more', accepts: (v) => size.accepts(v) && Number(v) % 2 === 1 }
const even: Range = { expected: 'an even number of 2 or more', accepts: (v) => size.accepts(v) && Number(v) % 2 === 0 }
const activation = oneOf(...activations)
const down = oneOf(
  'DownBlock2D', 'AttnDownBlock2D', 'CrossAttnDownBlock2D', 'ResnetDownsampleBlock2D', 'SimpleCrossAttnDownBlock2D',
)
const up = oneOf('UpBlock2D', 'AttnUpBlock2D', 'CrossAttnUpBlock2D', 'ResnetUpsampleBlock2D', 'SimpleCrossAttnUpBlock2D')

/** Fields that mean something here, by what they accept. */
export const unetRanges: Ranges<UNet2DConfig> = {
  sample_size: orNull(either(size, two)),
  in_channels: size,
  out_channels: size,
  center_input_sample: flag,
  conv_in_kernel: odd,
  conv_out_kernel: odd,
  block_out_channels: filled(size),
  layers_per_block: perBlock,
  down_block_types: listOf(down),
  mid_block_type: orNull(oneOf('UNetMidBlock2D', 'UNetMidBlock2DCrossAttn', 'UNetMidBlock2DSimpleCrossAttn')),
  up_block_types: listOf(up),
  mid_block_scale_factor: positive,
  resnet_out_scale_factor: positive,
  act_fn: activation,
  resnet_time_scale_shift: oneOf('default', 'scale_shift'),
  resnet_skip_time_act: flag,
  norm_num_groups: size,
  norm_eps: atLeast(0),
  downsample_padding: whole(0, 1),
  cross_attention_dim: perBlock,
  encoder_hid_dim: orNull(size),
  encoder_hid_dim_type: orNull(oneOf('text_proj')),
  only_cross_attention: either(flag, listOf(flag)),
  mid_block_only_cross_attention: orNull(flag),
  cross_attention_norm: orNull(oneOf('layer_norm', 'group_norm')),
  attention_head_dim: perBlock,
  num_attention_heads: orNull(perBlock),
  transformer_layers_per_block: either(size, counts),
  reverse_transformer_layers_per_block: orNull(counts),
  use_linear_projection: flag,
  time_embedding_type: oneOf('positional', 'fourier'),
  time_embedding_dim: orNull(even),
  time_embedding_act_fn: orNull(activation),
  timestep_post_act: orNull(activation),
  time_cond_proj_dim: orNull(size),
  flip_sin_to_cos: flag,
  freq_shift: finite,
  num_class_embeds: orNull(size),
  class_embed_type: orNull(oneOf('timestep', 'identity', 'projection', 'simple_projection')),
  class_embeddings_concat: flag,
  addition_embed_type: orNull(oneOf('text_time', 'text')),
  addition_time_embed_dim: orNull(size),
  addition_embed_type_num_heads: size,
  projection_class_embeddings_input_dim: orNull(size),
  add_attention: flag,
  patch_size: size,
}

/** Fields of diffusers that would change the result, by the values that do not. */
const neutral: Readonly<Record<string, Range>> = {
  _class_name: only('UNet2DConditionModel'),
  dual_cross_attention: only(false),
  attention_type: only('default'),
  // Dropout acts in training only, and there is none here: a model that is trained with it is another one.
  dropout: only(0),
}

/** Fields that change nothing, whatever they are. */
const inert: Readonly<Record<string, Range>> = {
  // Where the configuration came from.
  _diffusers_version: any,
  _name_or_path: any,
  // Attention sums in float32 here at any rate.
  upcast_attention: any,
}

/** Every field by what it accepts. */
const fields = { ...inert, ...neutral, ...unetRanges } as Ranges<UNet2DConfig>

/** @throws {ConfigError} that names a field which is unknown, or has a value that this model does not know */
export function checkFields(config: UNet2DConfig): void {
  checkOptions('UNet2DConditionModel', config, fields)
}
