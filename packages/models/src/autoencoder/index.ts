export { AutoencoderKL } from './autoencoder-kl.ts'
export { AutoencoderTiny } from './autoencoder-tiny.ts'
export type { Tiling } from './coding.ts'
export type { AutoencoderKLConfig } from './config.ts'
export { DiagonalGaussian } from './diagonal-gaussian.ts'
export type { InPartsOptions, PartsOptions } from './parts.ts'
export { taesd, type TaesdFiles } from './taesd.ts'
export {
  type FittingTiling, type MemoryLimits, type Planner, type TilingCost, tilingCosts, tilingWithin,
} from './tiling-within.ts'
export type { AutoencoderTinyConfig } from './tiny-config.ts'
