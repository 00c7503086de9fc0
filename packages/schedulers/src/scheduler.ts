import { SchedulerError } from './errors.ts'
import type { Linear } from './linear.ts'
import type { NoiseLevel, Schedule, ScheduleConfig } from './schedule.ts'

/**
 * What the model predicts: the noise ε, the velocity v = √ᾱ·ε − √(1−ᾱ)·x₀ (arXiv 2202.00512), or x₀ itself.
 * Flow models, which predict ε − x₀, are {@link ModelPrediction} and run with dpmSolverMultistep.
 */
export type PredictionType = 'epsilon' | 'v_prediction' | 'sample'

/** Every prediction that some solver here understands. */
export type ModelPrediction = PredictionType | 'flow_prediction'

/** The solvers of this package. */
export type SolverName = 'ddpm' | 'ddim' | 'euler' | 'dpmSolverMultistep'

/** The options that all solvers share. */
export interface SolverConfig extends ScheduleConfig {
  readonly predictionType: ModelPrediction
}

/** How many steps to take, or exactly which timesteps, falling. */
export type Steps = number | { readonly timesteps: readonly number[] }

/** The course of a sampling run: plain data, fit for JSON. */
export interface SamplingPlan {
  /** The solver that made it and can follow it. */
  readonly solver: SolverName
  /** What the model is told at each step, [N], falling. */
  readonly timesteps: readonly number[]
  /** Noise-to-signal ratio σ before each step and after the last, [N + 1]. Of euler and dpmSolverMultistep. */
  readonly sigmas?: readonly number[]
  /** Training timestep that each step ends at, −1 for the clean end, [N]. Of ddpm and ddim. */
  readonly previous?: readonly number[]
}

/**
 * Where a run stands: all that `step` needs besides the tensors it is given. Plain data, never changed in place, so
 * keep it to resume a run, or step twice from it to branch one. Only `history` holds tensors; see {@link mapState}.
 */
export interface SchedulerState<T> {
  readonly plan: SamplingPlan
  /** Index of the next step, 0 … N; N when the run is over. */
  readonly step: number
  /** Earlier model outputs of a multistep solver, oldest first. */
  readonly history: readonly T[]
}

/** What one step gives. */
export interface StepResult<T> {
  readonly state: SchedulerState<T>
  /** The sample at the next noise level. */
  readonly sample: T
  /** The clean sample that the prediction implies, after clipping and the hook. */
  readonly x0: T
}

/** Places where a caller may change what a step works with. */
export interface StepHooks<T> {
  /** Replaces the predicted clean sample, for example {@link dynamicThreshold}; the step goes on from its result. */
  readonly x0?: (x0: T) => T
}

/** A frozen configuration and pure functions on it. Tensors enter only through a {@link Linear} adapter. */
export interface Scheduler<C extends SolverConfig = SolverConfig> {
  readonly name: SolverName
  readonly config: C
  readonly schedule: Schedule

  /**
   * The plan of a run.
   * @param steps 1 … T steps, or falling timesteps in [0, T)
   * @throws {SchedulerError} if they are out of range, or the configuration makes its own timesteps
   */
  timesteps(steps: Steps): SamplingPlan

  /**
   * The state before a run.
   * @param steps as for `timesteps`, or a plan
   * @param startAt first step to take, 0 … N; later starts are for image-to-image
   */
  begin<T>(steps: Steps | SamplingPlan, startAt?: number): SchedulerState<T>

  /** The model's input is the sample times this. */
  inputScale(state: SchedulerState<unknown>): number

  /** Signal and noise in the sample that the next step takes. */
  level(state: SchedulerState<unknown>): NoiseLevel

  /** Whether the next step draws fresh noise. */
  needsNoise(state: SchedulerState<unknown>): boolean

  /**
   * One step down the plan.
   * @param prediction model output for `sample · inputScale(state)` at `currentTimestep(state)`
   * @param noise unit normal noise, required where `needsNoise(state)`
   * @throws {SchedulerError} after the last step, on a missing noise, clamp or threshold
   */
  step<T>(
    linear: Linear<T>,
    state: SchedulerState<T>,
    prediction: T,
    sample: T,
    noise?: T,
    hooks?: StepHooks<T>,
  ): StepResult<T>

  /**
   * A clean sample with noise, on the scale of this solver's samples (signal 1 for euler).
   * @param at a training timestep, or the state of a run for exactly the level that its next step takes
   */
  addNoise<T>(linear: Linear<T>, x0: T, noise: T, at: number | SchedulerState<T>): T

  /** v = √ᾱ·ε − √(1−ᾱ)·x₀ at a whole training timestep: the target of a v-prediction model. */
  velocity<T>(linear: Linear<T>, x0: T, noise: T, timestep: number): T

  /** Standard deviation of the sample that a run starts from: unit noise times this. */
  initNoiseSigma(plan: SamplingPlan): number
}

/** Whether a run has taken all its steps. */
export function isDone(state: SchedulerState<unknown>): boolean {
  return state.step >= state.plan.timesteps.length
}

/**
 * What to tell the model at the next step.
 * @throws {SchedulerError} after the last step
 */
export function currentTimestep(state: SchedulerState<unknown>): number {
  const timestep = state.plan.timesteps[state.step]
  if (timestep !== undefined) return timestep
  throw new SchedulerError(
    `step: expected a step from 0 to ${state.plan.timesteps.length - 1}, got ${state.step}; ` +
      'the run is over, so begin another or stop when isDone(state)',
  )
}

/** The same state with its tensors in another form: `(x) => [...x]` before JSON, `Float32Array.from` after it. */
export function mapState<T, U>(state: SchedulerState<T>, convert: (value: T) => U): SchedulerState<U> {
  return { ...state, history: state.history.map(convert) }
}
