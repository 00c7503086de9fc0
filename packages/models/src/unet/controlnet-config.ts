import { ConfigError } from '@antipode/core'
import { checkOptions, flag, oneOf, type Range, type Ranges, whole } from '@antipode/core/options'
import { any, filled, only } from '../config-ranges.ts'
import { unetRanges } from './config-fields.ts'
import type { ResolvedUNet2DConfig, UNet2DConfig } from './config.ts'
import { resolveFields } from './resolve-config.ts'

/** Fields that a ControlNet has from the UNet that it is beside. */
type Shared =
  | 'in_channels' | 'flip_sin_to_cos' | 'freq_shift' | 'down_block_types' | 'mid_block_type' | 'only_cross_attention'
  | 'block_out_channels' | 'downsample_padding' | 'mid_block_scale_factor' | 'act_fn' | 'norm_num_groups' | 'norm_eps'
  | 'attention_head_dim' | 'num_attention_heads' | 'transformer_layers_per_block' | 'use_linear_projection'
  | 'num_class_embeds' | 'addition_embed_type' | 'addition_time_embed_dim' | 'addition_embed_type_num_heads'
  | 'resnet_time_scale_shift' | 'projection_class_embeddings_input_dim'

/** Configuration of a {@link ControlNetModel}, with the names and defaults of diffusers' `config.json`. */
export interface ControlNetConfig extends Pick<UNet2DConfig, Shared> {
  readonly layers_per_block?: number
  readonly cross_attention_dim?: number
  readonly class_embed_type?: 'identity' | 'projection' | null
  /** Channels of the image that it is led by: 3 by default. */
  readonly conditioning_channels?: number
  /** `rgb`, the default, or `bgr` for a model that was trained with channels in that order; images come as RGB. */
  readonly controlnet_conditioning_channel_order?: 'rgb' | 'bgr'
  /** Channels on that image's way to the latents, each but the first at half the resolution; [16, 32, 96, 256]. */
  readonly conditioning_embedding_out_channels?: readonly number[]
  /** Whether the means of the residuals over the pixels are added. Default false. */
  readonly global_pool_conditions?: boolean
}

/** {@link ControlNetConfig} with the defaults filled in. */
export interface ResolvedControlNetConfig {
  readonly unet: ResolvedUNet2DConfig
  readonly imageChannels: number
  readonly reversed: boolean
  readonly embedding: readonly number[]
  readonly pooled: boolean
}

const u = unetRanges
const size = whole(1)
const ranges: Ranges<ControlNetConfig> = {
  in_channels: u.in_channels, flip_sin_to_cos: u.flip_sin_to_cos, freq_shift: u.freq_shift,
  down_block_types: u.down_block_types, mid_block_type: u.mid_block_type, only_cross_attention: u.only_cross_attention,
  block_out_channels: u.block_out_channels, downsample_padding: u.downsample_padding,
  mid_block_scale_factor: u.mid_block_scale_factor, act_fn: u.act_fn, norm_num_groups: u.norm_num_groups,
  norm_eps: u.norm_eps, attention_head_dim: u.attention_head_dim, num_attention_heads: u.num_attention_heads,
  transformer_layers_per_block: u.transformer_layers_per_block, use_linear_projection: u.use_linear_projection,
  num_class_embeds: u.num_class_embeds, addition_embed_type: u.addition_embed_type,
  addition_time_embed_dim: u.addition_time_embed_dim, addition_embed_type_num_heads: u.addition_embed_type_num_heads,
  resnet_time_scale_shift: u.resnet_time_scale_shift,
  projection_class_embeddings_input_dim: u.projection_class_embeddings_input_dim,
  layers_per_block: size,
  cross_attention_dim: size,
  class_embed_type: only(null, 'identity', 'projection'),
  conditioning_channels: size,
  controlnet_conditioning_channel_order: oneOf('rgb', 'bgr'),
  conditioning_embedding_out_channels: filled(size),
  global_pool_conditions: flag,
}
const others: Readonly<Record<string, Range>> = {
  _class_name: only('ControlNetModel'), _diffusers_version: any, _name_or_path: any, upcast_attention: any,
  encoder_hid_dim: only(null), encoder_hid_dim_type: only(null),
}

/** @throws {ConfigError} that names a field which is unknown or has a value that this model does not know */
export function resolveControlNetConfig(config: ControlNetConfig): ResolvedControlNetConfig {
  checkOptions('ControlNetModel', config, { ...others, ...ranges } as Ranges<ControlNetConfig>)
  if (config.mid_block_type === null) {
    throw new ConfigError('ControlNetModel: expected a mid_block_type, got null')
  }
  // Its part of a UNet, which has no way up here.
  const own = Object.fromEntries(Object.entries(config).filter(([name]) => name in unetRanges)) as UNet2DConfig
  const levels = own.down_block_types?.length ?? 4
  return {
    unet: resolveFields('ControlNetModel', { ...own, up_block_types: new Array<'UpBlock2D'>(levels).fill('UpBlock2D') }),
    imageChannels: config.conditioning_channels ?? 3,
    reversed: config.controlnet_conditioning_channel_order === 'bgr',
    embedding: config.conditioning_embedding_out_channels ?? [16, 32, 96, 256],
    pooled: config.global_pool_conditions ?? false,
  }
}
