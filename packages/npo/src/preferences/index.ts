export { type LabelledPairs, labelPairs, type LabelPairsOptions, type SampleReward } from './label-pairs.ts'
