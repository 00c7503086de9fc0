import { ConfigError, type DType, type Backend } from '@antipode/core'
import { randomParameters } from '@antipode/core/nn'
import { checkOptions, oneOf, required, whole } from '@antipode/core/options'
import { type UNet2DConfig, UNet2DConditionModel } from '@antipode/models'
import { DIGIT_CLASSES } from './classifier.ts'

/** Digits models by the machine they are for: `digits-16` learns on two CPU cores, `digits-28` wants a GPU. */
export type DigitsModelName = 'digits-16' | 'digits-28'

/** Class of a digits model that stands for "no class". */
export const NO_DIGIT: number = DIGIT_CLASSES

/** Configuration of a digits model, whose images have one side. */
export type DigitsConfig = UNet2DConfig & { readonly sample_size: number }

const common = {
  in_channels: 1,
  out_channels: 1,
  num_class_embeds: DIGIT_CLASSES + 1,
  layers_per_block: 1,
  norm_num_groups: 8,
  attention_head_dim: 16,
  mid_block_type: 'UNetMidBlock2D',
  add_attention: true,
} as const satisfies UNet2DConfig

// Channels are multiples of 16 and pixels times batch of 32, the block of the kernels on software adapters.
const configs: Readonly<Record<DigitsModelName, DigitsConfig>> = {
  'digits-16': {
    ...common,
    sample_size: 16,
    // 16×16 pixels become 4 channels of 8×8: a quarter of the work for the same picture.
    patch_size: 2,
    block_out_channels: [16, 32],
    down_block_types: ['DownBlock2D', 'DownBlock2D'],
    up_block_types: ['UpBlock2D', 'UpBlock2D'],
  },
  'digits-28': {
    ...common,
    sample_size: 28,
    block_out_channels: [32, 64, 96],
    down_block_types: ['DownBlock2D', 'AttnDownBlock2D', 'AttnDownBlock2D'],
    up_block_types: ['AttnUpBlock2D', 'AttnUpBlock2D', 'UpBlock2D'],
  },
}

/** Configuration of a digits model. @throws {ConfigError} if there is none of that name */
export function digitsConfig(name: DigitsModelName): DigitsConfig {
  const config: DigitsConfig | undefined = Object.hasOwn(configs, name) ? configs[name] : undefined
  if (!config) throw new ConfigError(`digitsConfig: expected ${Object.keys(configs).join(' or ')}, got ${JSON.stringify(name)}`)
  return config
}

/** Options of {@link digitsUNet}. */
export interface DigitsUNetOptions {
  /** Seed of the fresh parameters, whole in [0, 2^53). */
  readonly seed: number
  /** Element type of the parameters: f32, the default, f16 or bf16. */
  readonly dtype?: DType
}

/**
 * A fresh class-conditional denoiser of digits: x `[B, 1, side, side]`, labels 0..9, or 10 for no class.
 * @throws {ConfigError} if there is no model of that name, or an option is unknown or out of its range
 */
export function digitsUNet(device: Backend, name: DigitsModelName, options: DigitsUNetOptions): UNet2DConditionModel {
  checkOptions('digitsUNet', options, { seed: required(whole(0)), dtype: oneOf('f32', 'f16', 'bf16') })
  return new UNet2DConditionModel(randomParameters(device, options), digitsConfig(name))
}

/** Layers of a digits model that adapters go on: attention's projections, and the convolutions of the resnets. */
export const digitsLoraTargets: RegExp = /\.to_(q|k|v|out\.0)$|\.resnets\.\d+\.conv[12]$/
