export {
  groupAdvantages, type GroupAdvantagesOptions, type PromptStatistics, promptStatistics, type PromptStatisticsOptions,
} from './advantages.ts'
export { type BranchedPairs, branchingPairs, type BranchingOptions, type Candidates } from './branching-pairs.ts'
export { invertedPairs, type InvertedPairsOptions } from './inverted-pairs.ts'
export { type LabelledPairs, labelPairs, type LabelPairsOptions, type SampleReward } from './label-pairs.ts'
export { type PairMaker, pairMaker, type PairMakerOptions } from './pair-maker.ts'
export { type PolicyRolloutOptions, policyRollouts, type PolicySteps } from './policy-rollouts.ts'
export {
  type BatchMaker, renoisedRollouts, type RenoisedRolloutOptions, type RewardRolloutOptions, rewardRollouts, type RunOptions,
} from './reward-rollouts.ts'
export { type SelfRolloutOptions, selfRollouts, type TruncatedRunOptions } from './self-rollouts.ts'
