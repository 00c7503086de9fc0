import type { Field } from '../config/index.ts'
import type { Linear } from '../linear/index.ts'
import type { StepHooks } from '../prediction/index.ts'
import type { NoiseLevel, Schedule } from '../schedule/index.ts'

/** What a run is asked for: a number of steps, or more exactly. */
export type Steps = number | StepsRequest

/** Exactly one of `count`, `timesteps` and `sigmas`, and what else the plan depends on. */
export interface StepsRequest {
  /** Number of steps: whole, from 1 to as many as the model has timesteps. */
  readonly count?: number
  /** What the model is told at each step: falling training timesteps (rising for an inversion). */
  readonly timesteps?: readonly number[]
  /** Noise level before each step, falling; the level after the last is the solver's. */
  readonly sigmas?: readonly number[]
  /** Shift of a flow whose configuration has useDynamicShifting: see {@link imageMu}. */
  readonly mu?: number
  /**
   * Share of the plan to run, in (0, 1], at least a step of it: image-to-image noises its image to where the rest begins.
   * 1 runs all.
   */
  readonly strength?: number
}

/** The parts of a request that a solver may take besides `count`, which all take, and `strength`. */
export type StepsPart = 'timesteps' | 'sigmas' | 'mu'

/**
 * The course of a sampling run: plain data, fit for JSON. It has an entry for each call of the model; most solvers take
 * one a step, those of Heun's kind two.
 */
export interface SamplingPlan {
  /** Name of the solver that made it and can follow it. */
  readonly solver: string
  /** What the model is told at each call, [M]. */
  readonly timesteps: readonly number[]
  /** Noise level σ before each call and after the last, [M + 1]. Of solvers that work on σ. */
  readonly sigmas?: readonly number[]
  /** Training timestep that each call leads to, −1 for the clean end, [M]. Of solvers that work on the table of ᾱ. */
  readonly previous?: readonly number[]
  /** Index of the call that begins each step, [N], where they are not 0, 1, 2, … */
  readonly starts?: readonly number[]
  /** Step that a run begins at, as `strength` asks; 0 if absent. */
  readonly start?: number
  /** Further numbers of a solver's own, each a list over the calls. */
  readonly extra?: Readonly<Record<string, readonly number[]>>
}

/**
 * Where a run stands: all that `step` needs besides the tensors it is given. Plain data, never changed in place, so
 * keep it to resume a run, or step twice from it to branch one. `history` and `slots` hold tensors; see {@link mapState}.
 */
export interface SchedulerState<T> {
  readonly plan: SamplingPlan
  /** Index of the next call of the model, 0 … M; M when the run is over. */
  readonly step: number
  /** Earlier model outputs of a multistep solver, oldest first. */
  readonly history: readonly T[]
  /** Further tensors of a solver's own, by name. */
  readonly slots: Readonly<Record<string, T>>
  /** Further numbers of a solver's own, by name. */
  readonly numbers: Readonly<Record<string, number>>
}

/** What one step gives. */
export interface StepResult<T> {
  readonly state: SchedulerState<T>
  /** The sample that the next call of the model takes, or the result. */
  readonly sample: T
  /** The clean sample that the prediction implies, after clipping and the hook. */
  readonly x0: T
}

/** Where a scheduler's options come from, so that another solver can take them over as diffusers does. */
export interface ConfigSource {
  /** Options that were set explicitly; the others have the solver's own defaults. */
  readonly given: readonly string[]
  /** Entries of a diffusers file that this solver has no meaning for. */
  readonly carried: Readonly<Record<string, unknown>>
}

/** A frozen configuration and pure functions on it. Tensors enter only through a {@link Linear} adapter. */
export interface Scheduler<C extends object = object, S extends Schedule | null = Schedule | null> {
  readonly name: string
  readonly config: Readonly<C>
  /** The tables that the model was trained with; null for models of a continuous σ (flows, EDM). */
  readonly schedule: S
  /** The function that made it. */
  readonly solver: AnySolver
  readonly source: ConfigSource
  /** What a request for steps may hold besides `count` and `strength`. */
  readonly accepts: readonly StepsPart[]

  /**
   * The plan of a run.
   * @throws {SchedulerError} if the steps are out of range, ask for what this configuration decides itself, or make noise
   * levels that do not fall
   * @throws {ConfigError} on a part that no request has
   */
  timesteps(steps: Steps): SamplingPlan

  /**
   * The state before a run.
   * @param startAt first step to take, 0 … N; later starts are for image-to-image. The plan's own start by default
   */
  begin<T>(steps: Steps | SamplingPlan, startAt?: number): SchedulerState<T>

  /** The model's input is the sample times this. */
  inputScale(state: SchedulerState<unknown>): number

  /** Signal and noise in the sample that the next call of the model takes. */
  level(state: SchedulerState<unknown>): NoiseLevel

  /** Whether the next step draws fresh noise. */
  needsNoise(state: SchedulerState<unknown>): boolean

  /**
   * One call of the model further down the plan.
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
   * A clean sample with noise, on the scale of this solver's samples.
   * @param at a training timestep, or the state of a run for exactly the level that its next step takes
   */
  addNoise<T>(linear: Linear<T>, x0: T, noise: T, at: number | SchedulerState<T>): T

  /** What a v-prediction model (√ᾱ·ε − √(1−ᾱ)·x₀) or a flow model (ε − x₀) learns to predict at a training timestep. */
  velocity<T>(linear: Linear<T>, x0: T, noise: T, timestep: number): T

  /** Standard deviation of the sample that a run starts from: unit noise times this. */
  initNoiseSigma(plan: SamplingPlan): number
}

/**
 * What the models of a solver were trained on: a table of β, a flow's (1 − σ)·x₀ + σ·ε, or preconditioned, distilled or
 * angular levels of their own. A solver that has `useFlowSigmas` is for flows too.
 */
export type TrainingProcess = 'betas' | 'flow' | 'edm' | 'consistency' | 'angles'

/** What can be known of a solver without making a scheduler of it. */
export interface SolverDescription {
  readonly solverName: string
  readonly process: TrainingProcess
  /** The diffusers classes that it stands for, the one that `toConfig` writes first. */
  readonly classNames: readonly string[]
  /** Its options, each with its default and check. */
  fields(): Readonly<Record<string, Field<unknown>>>
  /** Keys of those classes whose meaning it lacks, and the values of them that ask for nothing. */
  readonly refused: Readonly<Record<string, readonly unknown[]>>
}

/** Makes schedulers. */
export interface Solver<C extends object, S extends Schedule | null = Schedule> extends SolverDescription {
  /** @throws {ConfigError} on an unknown option, a wrong value, or options that exclude each other */
  (options?: Partial<C>, source?: Partial<ConfigSource>): Scheduler<C, S>
}

/** Any solver: what `fromConfig` works with. */
export interface AnySolver extends SolverDescription {
  (options?: object, source?: Partial<ConfigSource>): Scheduler
}
