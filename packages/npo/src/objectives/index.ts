export { type CalibratedBatch, capo, type CapoOptions } from './capo.ts'
export { chats, type ChatsOptions, type TwoNetworks } from './chats.ts'
export { denoising, type SampleBatch } from './denoising.ts'
export { branchPairs, diffSnpo, type DiffSnpoOptions } from './diff-snpo.ts'
export { diffusionDpo, type DiffusionDpoOptions } from './diffusion-dpo.ts'
export { diffusionKto, type DiffusionKtoOptions, type LabelledBatch } from './diffusion-kto.ts'
export { diffusionNft, type DiffusionNftOptions, type OldNetworks, type RewardedBatch } from './diffusion-nft.ts'
export { dmpo, type DmpoOptions } from './dmpo.ts'
export { dspo, type DspoOptions } from './dspo.ts'
export { fineTuning } from './fine-tuning.ts'
export { hinge, type HingeOptions } from './hinge.ts'
export { ipo, type IpoOptions } from './ipo.ts'
export { mapo, type MapoOptions } from './mapo.ts'
export {
  type PairObjectiveName, pairObjectiveNames, pairObjectiveOf, type PairObjectiveOptions,
} from './named.ts'
export {
  type LossAndMetrics, type ModelNetwork, negate, type Objective, type PreferenceDefinition, type PreferenceObjective,
  preferenceObjective, type ReferredNetworks,
} from './objective.ts'
export { type PairBatch, type PairErrors, pairErrors, pairObjective, swapPair } from './pairs.ts'
export { type ReferredPairs, referredPairs } from './referred-pairs.ts'
export { rewardWeighted, type RewardWeightedOptions, type ScoredBatch } from './reward-weighted.ts'
export { safeguarded, type SafeguardOptions } from './safeguarded.ts'
export { pickScorePreference, smpo, type SmpoOptions, type SoftPairBatch } from './smpo.ts'
export { labelled, unpaired } from './unpaired.ts'
