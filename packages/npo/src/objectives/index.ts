export { denoising, type SampleBatch } from './denoising.ts'
export { diffusionDpo, type DiffusionDpoOptions } from './diffusion-dpo.ts'
export { diffusionNft, type DiffusionNftOptions, type OldNetworks, type RewardedBatch } from './diffusion-nft.ts'
export { mapo, type MapoOptions } from './mapo.ts'
export {
  type LossAndMetrics, type ModelNetwork, negate, type Objective, type PreferenceDefinition, type PreferenceObjective,
  preferenceObjective, type ReferredNetworks,
} from './objective.ts'
export { type PairBatch, type PairErrors, pairErrors, pairObjective, swapPair } from './pairs.ts'
