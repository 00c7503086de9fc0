export { AestheticHead, type AestheticOptions, aestheticReward } from './aesthetic.ts'
export {
  type LoadedReward, loadReward, type LoadRewardOptions, type RewardFiles, type RewardName, rewardNames,
  type RewardPrompts,
} from './by-name/index.ts'
export { clipImages, type ClipImagesOptions } from './clip-images.ts'
export { clipReward } from './clip-score.ts'
export { clipTowers, type ClipTowers, type ClipTowersConfig, clipViTH14, loadClipTowers } from './clip-towers.ts'
export { compressibilityReward, type CompressibilityOptions } from './compressibility.ts'
export { hpsReward, type HpsOptions } from './hps.ts'
export { imageReward, type ImageRewardConfig, ImageRewardModel, loadImageReward } from './image-reward/index.ts'
export { mixture } from './mixture.ts'
export { normalised, type NormalisedOptions } from './normalised.ts'
export { pickScoreReward, type PickScoreOptions } from './pick-score.ts'
export { resize, type ResizeFilter, type ResizeOptions } from './resize.ts'
export { loadStepAwareModel, StepAwareModel, stepAwareScore } from './step-aware.ts'
