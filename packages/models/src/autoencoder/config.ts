import { ConfigError } from '@antipode/core'
import { checkOptions, either, finite, flag, listOf, oneOf, type Range, type Ranges, whole } from '@antipode/core/options'
import { any, filled, only, orNull } from '../config-ranges.ts'

/**
 * Configuration of an `AutoencoderKL`, with the names and defaults of diffusers' `config.json`: a parsed file can be passed as it is.
 * A field that is not listed here must have the value that changes nothing; a field that nobody knows is an error.
 */
export interface AutoencoderKLConfig {
  readonly in_channels?: number
  readonly out_channels?: number
  readonly down_block_types?: readonly 'DownEncoderBlock2D'[]
  readonly up_block_types?: readonly 'UpDecoderBlock2D'[]
  readonly block_out_channels?: readonly number[]
  /** Resnets of each block of the encoder; those of the decoder have one more. */
  readonly layers_per_block?: number
  readonly latent_channels?: number
  /** Must divide the channels of every block. */
  readonly norm_num_groups?: number
  /** Side of the images that it was trained on, in pixels, or [height, width]: what tiles are as large as. */
  readonly sample_size?: number | readonly [number, number]
  /** What a pipeline multiplies latents by after encoding, and divides them by before decoding. */
  readonly scaling_factor?: number
  /** What it subtracts from them before that. */
  readonly shift_factor?: number | null
  /** Mean and deviation of each channel of latents, which some pipelines take out as well. */
  readonly latents_mean?: readonly number[] | null
  readonly latents_std?: readonly number[] | null
  /** Whether f16 is too narrow for it, so that a pipeline runs it in f32. */
  readonly force_upcast?: boolean
  readonly use_quant_conv?: boolean
  readonly use_post_quant_conv?: boolean
  /** Whether the middle has self-attention. */
  readonly mid_block_add_attention?: boolean
}

/** A configuration with its defaults filled in. */
export interface ResolvedAutoencoderKLConfig {
  readonly inChannels: number
  readonly outChannels: number
  readonly channels: readonly number[]
  readonly layers: number
  readonly latentChannels: number
  readonly groups: number
  readonly sampleSize: number
  readonly quantConv: boolean
  readonly postQuantConv: boolean
  readonly midAttention: boolean
}

const size = whole(1)
const ranges: Ranges<AutoencoderKLConfig> = {
  in_channels: size,
  out_channels: size,
  down_block_types: filled(oneOf('DownEncoderBlock2D')),
  up_block_types: filled(oneOf('UpDecoderBlock2D')),
  block_out_channels: filled(size),
  layers_per_block: size,
  latent_channels: size,
  norm_num_groups: size,
  sample_size: either(size, { expected: 'two such numbers', accepts: (v) => listOf(size).accepts(v) && (v as readonly unknown[]).length === 2 }),
  scaling_factor: finite,
  shift_factor: orNull(finite),
  latents_mean: orNull(listOf(finite)),
  latents_std: orNull(listOf(finite)),
  force_upcast: flag,
  use_quant_conv: flag,
  use_post_quant_conv: flag,
  mid_block_add_attention: flag,
}

/** Fields that would change the result, by the value that does not; and such as say where the configuration came from. */
const others: Readonly<Record<string, Range>> = {
  _class_name: only('AutoencoderKL'),
  act_fn: oneOf('silu', 'swish'),
  _diffusers_version: any,
  _name_or_path: any,
}

/** Fills in defaults and checks that every field means something here. @throws {ConfigError} that names the field */
export function resolveAutoencoderKLConfig(config: AutoencoderKLConfig): ResolvedAutoencoderKLConfig {
  checkOptions('AutoencoderKL', config, { ...others, ...ranges } as Ranges<AutoencoderKLConfig>)
  const channels = config.block_out_channels ?? [64]
  for (const field of ['down_block_types', 'up_block_types'] as const) {
    const { length } = config[field] ?? [undefined]
    if (length !== channels.length) throw new ConfigError(`AutoencoderKL: expected ${channels.length} entries in ${field}, as many as in block_out_channels, got ${length}`)
  }
  const groups = config.norm_num_groups ?? 32
  const odd = channels.find((c) => c % groups !== 0)
  if (odd !== undefined) throw new ConfigError(`AutoencoderKL: expected norm_num_groups that divides block_out_channels, got ${groups} for ${odd}`)
  const latentChannels = config.latent_channels ?? 4
  for (const field of ['latents_mean', 'latents_std'] as const) {
    const list = config[field]
    if (list && list.length !== latentChannels) throw new ConfigError(`AutoencoderKL: expected ${latentChannels} numbers in ${field}, one a channel of the latents, got ${list.length}`)
  }
  return {
    inChannels: config.in_channels ?? 3,
    outChannels: config.out_channels ?? 3,
    channels,
    layers: config.layers_per_block ?? 1,
    latentChannels,
    groups,
    sampleSize: [config.sample_size ?? 32].flat()[0]!, // the height, as diffusers' tiles have it
    quantConv: config.use_quant_conv ?? true,
    postQuantConv: config.use_post_quant_conv ?? true,
    midAttention: config.mid_block_add_attention ?? true,
  }
}
