export { type CheckpointOptions, loadRun, saveRun } from './checkpoint.ts'
export { type Collapse, CollapseError } from './collapse-error.ts'
export { masterWeights } from './master-weights.ts'
export type { RunState } from './run-state.ts'
export type { NamedGradients, ReduceGradients } from './reduce.ts'
export {
  above, belowStart, type BelowStartOptions, type LastingOptions, pinned, type PinnedOptions, type StopLook, type StopRule,
} from './stop-rules.ts'
export { train } from './train.ts'
export type { TrainOptions } from './train-options.ts'
export type { TrainStep } from './train-step.ts'
export { type OnlineOptions, trainOnline } from './train-online.ts'
export type { WatchState } from './watch.ts'
export { withAverages } from './with-averages.ts'
