export { type FullTrainingOptions, fullTrainingRanges, trainFully } from './full-training.ts'
