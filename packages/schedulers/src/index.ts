export { ConfigError, SchedulerError } from './errors.ts'
export { float32Linear, type Linear, type Term } from './linear.ts'
export {
  noiseCoefficients,
  noiseSchedule,
  type BetaSchedule,
  type NoiseLevel,
  type Schedule,
  type ScheduleConfig,
} from './schedule.ts'
export {
  currentTimestep,
  isDone,
  mapState,
  type ModelPrediction,
  type PredictionType,
  type SamplingPlan,
  type Scheduler,
  type SchedulerState,
  type SolverConfig,
  type SolverName,
  type StepHooks,
  type StepResult,
  type Steps,
} from './scheduler.ts'
export type { ClipConfig, ThresholdConfig } from './prediction.ts'
export type { SigmaConfig } from './sigmas.ts'
export type { SpacingConfig, TimestepSpacing } from './spacing.ts'
export { ddpm, type DdpmConfig } from './ddpm.ts'
export { ddim, type DdimConfig } from './ddim.ts'
export { euler, type EulerConfig } from './euler.ts'
export { dpmSolverMultistep, type DpmConfig } from './dpm-solver-multistep.ts'
export type { DpmAlgorithm } from './dpm-update.ts'
export { dynamicThreshold } from './threshold.ts'
export { fromConfig } from './from-config.ts'
