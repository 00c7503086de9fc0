import { atLeast, checkOptions, either, finite, flag, listOf, oneOf, type Range, type Ranges, whole } from '@antipode/core/options'
import { any, filled, only, orNull } from '../config-ranges.ts'
import type { UNet2DConfig } from './config.ts'

const size = whole(1)
const perBlock = either(size, filled(size))

/** Fields that mean something here, by what they accept. */
const ranges: Ranges<UNet2DConfig> = {
  sample_size: orNull(either(size, { expected: 'two such numbers', accepts: (v) => listOf(size).accepts(v) && (v as readonly unknown[]).length === 2 })),
  in_channels: size,
  out_channels: size,
  block_out_channels: filled(size),
  layers_per_block: perBlock,
  down_block_types: listOf(oneOf('DownBlock2D', 'AttnDownBlock2D', 'CrossAttnDownBlock2D')),
  mid_block_type: orNull(oneOf('UNetMidBlock2D', 'UNetMidBlock2DCrossAttn')),
  up_block_types: listOf(oneOf('UpBlock2D', 'AttnUpBlock2D', 'CrossAttnUpBlock2D')),
  norm_num_groups: size,
  norm_eps: atLeast(0),
  downsample_padding: whole(0, 1),
  cross_attention_dim: perBlock,
  attention_head_dim: perBlock,
  num_attention_heads: orNull(perBlock),
  transformer_layers_per_block: perBlock,
  use_linear_projection: flag,
  flip_sin_to_cos: flag,
  freq_shift: finite,
  num_class_embeds: orNull(size),
  addition_embed_type: orNull(oneOf('text_time')),
  addition_time_embed_dim: orNull(size),
  projection_class_embeddings_input_dim: orNull(size),
  add_attention: flag,
  patch_size: size,
}

/** Fields of diffusers that would change the result, by the values that do not. */
const neutral: Readonly<Record<string, Range>> = {
  _class_name: only('UNet2DConditionModel'),
  act_fn: only('silu', 'swish'),
  time_embedding_type: only('positional'),
  resnet_time_scale_shift: only('default'),
  class_embed_type: only(null),
  encoder_hid_dim_type: only(null),
  encoder_hid_dim: only(null),
  center_input_sample: only(false),
  dual_cross_attention: only(false),
  only_cross_attention: either(only(false), listOf(only(false))),
  mid_block_only_cross_attention: only(null, false),
  cross_attention_norm: only(null),
  class_embeddings_concat: only(false),
  time_embedding_act_fn: only(null),
  timestep_post_act: only(null),
  time_cond_proj_dim: only(null),
  time_embedding_dim: only(null),
  resnet_skip_time_act: only(false),
  resnet_out_scale_factor: only(1),
  mid_block_scale_factor: only(1),
  conv_in_kernel: only(3),
  conv_out_kernel: only(3),
  attention_type: only('default'),
  reverse_transformer_layers_per_block: only(null),
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
  // Heads of the pooling of `addition_embed_type: "text"`, which is refused.
  addition_embed_type_num_heads: any,
}

/** Every field by what it accepts. */
const fields = { ...inert, ...neutral, ...ranges } as Ranges<UNet2DConfig>

/** @throws {ConfigError} that names a field which is unknown, or has a value that this model does not know */
export function checkFields(config: UNet2DConfig): void {
  checkOptions('UNet2DConditionModel', config, fields)
}
