export { denoising, type SampleBatch } from './denoising.ts'
export { diffusionDpo, type DiffusionDpoOptions } from './diffusion-dpo.ts'
export { diffusionNft, type DiffusionNftOptions, type OldNetworks, type RewardedBatch } from './diffusion-nft.ts'
export { mapo, type MapoOptions } from './mapo.ts'
export {
  type LossAndMetrics, type ModelNetwork, negate, type Objective, type PreferenceDefinition, type PreferenceObjective,
  preferenceObjective, type ReferredNetworks,
} from './objective.ts'
export { type PairBatch, type PairErrors, pairErrors, pairObjective, swapPair } from './pairs.ts'
export * from './reward-gradients/index.ts'
export * from './self-npo/index.ts'
export { throughGuidance, type ThroughGuidanceOptions } from './through-guidance.ts'
export * from './transitions/index.ts'
