export { type CheckpointOptions, loadRun, type RunState, saveRun } from './checkpoint.ts'
export type { NamedGradients, ReduceGradients } from './reduce.ts'
export { train, type TrainOptions, type TrainStep } from './train.ts'
