import { ConfigError } from '@antipode/core'
import {
  checkOptions, finite, flag, listOf, oneOf, positive, type Range, type Ranges, whole,
} from '@antipode/core/options'
import { any, filled, only } from '../config-ranges.ts'

/**
 * Configuration of an `AutoencoderTiny`, with the names and defaults of diffusers' `config.json`: a parsed file can be
 * passed as it is. A field that nobody knows is an error.
 */
export interface AutoencoderTinyConfig {
  readonly in_channels?: number
  readonly out_channels?: number
  /** One number for each level, all of them equal: nothing changes the width between levels. */
  readonly encoder_block_out_channels?: readonly number[]
  readonly decoder_block_out_channels?: readonly number[]
  readonly act_fn?: 'relu' | 'silu' | 'swish' | 'gelu'
  readonly latent_channels?: number
  /** How many times as long sides become between two levels of the decoder. */
  readonly upsampling_scaling_factor?: number
  /** Blocks of each level. */
  readonly num_encoder_blocks?: readonly number[]
  readonly num_decoder_blocks?: readonly number[]
  /** What a pipeline multiplies latents by after encoding, and divides them by before decoding. */
  readonly scaling_factor?: number
  readonly shift_factor?: number
  /**
   * Whether blocks of the lowest resolution have a branch with a group norm, as TAEF2's have. The name is its author's;
   * diffusers has no such field.
   */
  readonly use_midblock_gn?: boolean
}

/** One half: channels of its ends and between them, and blocks of each level. */
export interface TinyLevels {
  readonly width: number
  readonly blocks: readonly number[]
}

/** A configuration with its defaults filled in. */
export interface ResolvedAutoencoderTinyConfig {
  readonly inChannels: number
  readonly outChannels: number
  readonly latentChannels: number
  readonly encoder: TinyLevels
  readonly decoder: TinyLevels
  readonly activation: 'relu' | 'silu' | 'gelu'
  readonly upsampling: number
  readonly midblockNorm: boolean
}

const size = whole(1)
const ranges: Ranges<AutoencoderTinyConfig> = {
  in_channels: size,
  out_channels: size,
  encoder_block_out_channels: filled(size),
  decoder_block_out_channels: filled(size),
  act_fn: oneOf('relu', 'silu', 'swish', 'gelu'),
  latent_channels: size,
  upsampling_scaling_factor: size,
  num_encoder_blocks: filled(whole(0)),
  num_decoder_blocks: filled(whole(0)),
  scaling_factor: finite,
  shift_factor: finite,
  use_midblock_gn: flag,
}

/** Other fields of diffusers: such as would change the result, by the value that does not, and such as change none. */
const others: Readonly<Record<string, Range>> = {
  _class_name: only('AutoencoderTiny'),
  upsample_fn: only('nearest'),
  // How latents are kept in images of eight bits.
  latent_magnitude: positive,
  latent_shift: finite,
  // It is the decoder's once more.
  block_out_channels: listOf(size),
  force_upcast: flag,
  _diffusers_version: any,
  _name_or_path: any,
}

/** Fills in defaults and checks that every field means something here. @throws {ConfigError} that names the field */
export function resolveAutoencoderTinyConfig(config: AutoencoderTinyConfig): ResolvedAutoencoderTinyConfig {
  checkOptions('AutoencoderTiny', config, { ...others, ...ranges } as Ranges<AutoencoderTinyConfig>)
  const { act_fn: activation = 'relu' } = config
  return {
    inChannels: config.in_channels ?? 3,
    outChannels: config.out_channels ?? 3,
    latentChannels: config.latent_channels ?? 4,
    encoder: levels(config, 'encoder', [1, 3, 3, 3]),
    decoder: levels(config, 'decoder', [3, 3, 3, 1]),
    activation: activation === 'swish' ? 'silu' : activation,
    upsampling: config.upsampling_scaling_factor ?? 2,
    midblockNorm: config.use_midblock_gn ?? false,
  }
}

function levels(config: AutoencoderTinyConfig, half: 'encoder' | 'decoder', usual: readonly number[]): TinyLevels {
  const { [`${half}_block_out_channels` as const]: channels = [64, 64, 64, 64] } = config
  const { [`num_${half}_blocks` as const]: blocks = usual } = config
  if (blocks.length !== channels.length) {
    throw new ConfigError(
      `AutoencoderTiny: expected ${channels.length} entries in num_${half}_blocks, as many as in ` +
        `${half}_block_out_channels, got ${blocks.length}`,
    )
  }
  const [width = 64] = channels
  if (channels.some((c) => c !== width)) {
    throw new ConfigError(
      `AutoencoderTiny: expected equal numbers in ${half}_block_out_channels, as nothing changes the width between ` +
        `levels, got ${channels.join(', ')}`,
    )
  }
  return { width, blocks }
}
