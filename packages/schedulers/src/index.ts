export { ConfigError, SchedulerError } from './errors.ts'
export { float32Linear, type Linear, type Term } from './linear/index.ts'
export {
  noiseCoefficients,
  noiseSchedule,
  trainingLevel,
  type BetaSchedule,
  type NoiseLevel,
  type NoiseScheduleOptions,
  type Schedule,
  type ScheduleConfig,
} from './schedule/index.ts'
export {
  currentTimestep,
  isDone,
  mapState,
  stepCount,
  tensorsOf,
  type AnySolver,
  type ConfigSource,
  type SamplingPlan,
  type Scheduler,
  type SchedulerState,
  type Solver,
  type SolverDescription,
  type StepResult,
  type Steps,
  type StepsPart,
  type StepsRequest,
  type TrainingProcess,
} from './run/index.ts'
export type { Field } from './config/index.ts'
export {
  convertPrediction,
  dynamicThreshold,
  type ClipConfig,
  type Conversion,
  type ModelPrediction,
  type PredictionType,
  type StepHooks,
  type ThresholdConfig,
} from './prediction/index.ts'
export type { DpmAlgorithm } from './multistep/index.ts'
export { imageMu, type DynamicShiftConfig, type SigmaConfig } from './sigmas/index.ts'
export {
  alignYourSteps,
  type AlignedSteps,
  type AlignYourSteps,
  type DistilledConfig,
  type SpacingConfig,
  type TimestepSpacing,
} from './timesteps/index.ts'
export {
  perItem,
  philox,
  torchCpu,
  type NoiseDraw,
  type NoiseStream,
  type PhiloxOptions,
  type PhiloxState,
  type TorchCpuState,
} from './noise/index.ts'
export { roundHalfEven } from './numeric/index.ts'
export { minSnrWeight, snr, type MinSnrOptions } from './training/index.ts'
export { fromConfig, toConfig, type DiffusersConfig, type FromConfigOptions } from './registry/index.ts'
export * from './solvers/index.ts'
