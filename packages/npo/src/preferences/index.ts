export { invertedPairs, type InvertedPairsOptions } from './inverted-pairs.ts'
export { type LabelledPairs, labelPairs, type LabelPairsOptions, type SampleReward } from './label-pairs.ts'
export { type PairMaker, pairMaker, type PairMakerOptions } from './pair-maker.ts'
export type { Reward } from './reward.ts'
