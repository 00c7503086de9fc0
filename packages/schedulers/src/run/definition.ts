import type { Fields } from '../config/index.ts'
import type { Linear } from '../linear/index.ts'
import type { StepHooks } from '../prediction/index.ts'
import type { NoiseLevel, Schedule } from '../schedule/index.ts'
import type { SamplingPlan, SchedulerState, StepsPart, TrainingProcess } from './contract.ts'
import type { PlanRequest } from './request.ts'

/** What a solver is: its names, its options, and its mathematics under a configuration. */
export interface SolverDefinition<C extends object, S extends Schedule | null> {
  readonly name: string
  /** The diffusers classes that it stands for; none for methods that diffusers lacks. */
  readonly classNames: readonly string[]
  /** What its models were trained on; a table of β if absent. */
  readonly process?: TrainingProcess
  /** Built anew at each call, so that a bundle without the solver is without its fields. */
  readonly fields: () => Fields<C>
  /** Keys of those classes whose meaning it lacks, and the values of them that ask for nothing. */
  readonly refused?: Readonly<Record<string, readonly unknown[]>>
  /**
   * The mathematics of a checked configuration.
   * @throws {ConfigError} on options that exclude each other
   */
  readonly setup: (config: Readonly<C>, name: string) => SolverMethods<S>
}

/** A plan before it carries the solver's name. */
export type Course = Omit<SamplingPlan, 'solver' | 'start'>

/** Factors of noise and clean sample in what the model learns at a timestep. */
type Velocity = (timestep: number) => { readonly noise: number; readonly clean: number }

/**
 * What one solver does differently from the others. States that it gets are its own and have a step left. Its
 * `velocity` is √ᾱ and −√(1−ᾱ) of the schedule if absent, so a solver without a schedule must have one.
 */
export type SolverMethods<S extends Schedule | null> = CommonMethods<S> &
  ([S] extends [Schedule] ? { readonly velocity?: Velocity } : { readonly velocity: Velocity })

interface CommonMethods<S extends Schedule | null> {
  readonly schedule: S
  /** What a request may hold besides `count`; nothing if absent. */
  readonly accepts?: readonly StepsPart[]
  /** Whether runs go from clean to noise. */
  readonly rises?: boolean
  /** Whether the plan itself follows `strength` (LCM's), instead of a later start. */
  readonly plansStrength?: boolean
  /** Largest count; the number of training timesteps if absent, and none without a schedule. */
  readonly mostSteps?: number
  plan(request: PlanRequest): Course
  level(state: SchedulerState<unknown>): NoiseLevel
  levelAt(timestep: number): NoiseLevel
  step<T>(call: StepCall<T>): Outcome<T>
  /** 1 if absent. */
  inputScale?(state: SchedulerState<unknown>): number
  /** 1 if absent. */
  initNoiseSigma?(plan: SamplingPlan): number
  /** Never if absent. */
  needsNoise?(state: SchedulerState<unknown>): boolean
}

/** The arguments of one step. */
export interface StepCall<T> {
  readonly linear: Linear<T>
  readonly state: SchedulerState<T>
  readonly prediction: T
  readonly sample: T
  /** There wherever `needsNoise(state)`, and nowhere else. */
  readonly noise: T | undefined
  readonly hooks: StepHooks<T> | undefined
}

/** What one step makes; the state's parts are empty if absent. */
export interface Outcome<T> {
  readonly sample: T
  readonly x0: T
  readonly history?: readonly T[]
  readonly slots?: Readonly<Record<string, T>>
  readonly numbers?: Readonly<Record<string, number>>
}
