export { type CheckpointOptions, loadRun, saveRun } from './checkpoint.ts'
export type { RunState } from './run-state.ts'
export type { NamedGradients, ReduceGradients } from './reduce.ts'
export { train, type TrainOptions, type TrainStep } from './train.ts'
