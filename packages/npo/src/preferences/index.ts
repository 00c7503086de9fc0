export {
  groupAdvantages, type GroupAdvantagesOptions, type PromptStatistics, promptStatistics, type PromptStatisticsOptions,
} from './advantages.ts'
export { type BatchBucket, BatchOrder } from './batch-order.ts'
export { type BatchMaker, batchesOf, type BatchesOfOptions } from './batches-of.ts'
export { branchingPairs, type BranchingOptions, type Candidates } from './branching-pairs.ts'
export { calibratedRewards, type CandidateOptions, paretoPairs } from './calibrated-rewards.ts'
export type { BranchedPairs } from './chosen-pairs.ts'
export { invertedPairs, type InvertedPairsOptions } from './inverted-pairs.ts'
export { type LabelledPairs, labelPairs, type LabelPairsOptions, type SampleReward } from './label-pairs.ts'
export { pairMaker, type PairMakerOptions } from './pair-maker.ts'
export { type PolicyRolloutOptions, policyRollouts, type PolicySteps } from './policy-rollouts.ts'
export { bestOfN, type BestOfNOptions, judgedPairs, type JudgedPairsOptions, type RankedPair } from './ranked-pairs.ts'
export {
  renoisedRollouts, type RenoisedRolloutOptions, type RewardRolloutOptions, rewardRollouts, type RunOptions,
} from './reward-rollouts.ts'
export { type SelfRolloutOptions, selfRollouts } from './self-rollouts.ts'
export { storedPairs, type StoredPairsOptions } from './stored-pairs.ts'
export {
  type Choice, rewardChoice, trajectoryPairs, type TrajectoryPairs, type TrajectoryPairsOptions,
} from './trajectory-pairs.ts'
export type { TruncatedRunOptions } from './truncated-runs.ts'
