import { ConfigError } from '@antipode/core'
import { currentTimestep, type Linear, type NoiseLevel, type Scheduler, type SchedulerState, tensorsOf } from '@antipode/schedulers'

/** One step of a run: from x and what the model predicts, e, to a·x + b·e + s·ε with ε unit normal. */
export interface StepCoefficients {
  /** What the model is told. */
  readonly timestep: number
  /** The model's input is x times this. */
  readonly input: number
  /** a */
  readonly sample: number
  /** b */
  readonly prediction: number
  /** s, 0 where the step draws no noise. */
  readonly deviation: number
  /** Shares of x and e in the clean sample that the prediction implies. */
  readonly clean: readonly [sample: number, prediction: number]
  /** Time that the step takes, of 1 in all: σ − σ' of a flow, (t − t')/T of a table. */
  readonly elapsed: number
}

/** Shares of x, e and ε. */
type Shares = readonly [x: number, e: number, noise: number]

/** Follows what a solver does with them. */
const sharesLinear: Linear<Shares> = {
  combine: (terms) => ([0, 1, 2] as const).map((i) => terms.reduce((sum, [c, s]) => sum + c * s[i], 0)) as unknown as Shares,
}

/**
 * The coefficients of a run's next step, read off the scheduler itself: those of DDIM with `eta`, of DDPM,
 * `flowMatchSde`, `eulerAncestral` and every other solver whose step is linear in the sample and the prediction.
 * @throws {ConfigError} if the step depends on earlier ones too, or clips its x₀
 */
export function stepCoefficients(scheduler: Scheduler, state: SchedulerState<unknown>): StepCoefficients {
  const { name } = scheduler
  const remembers = (at: SchedulerState<unknown>): boolean => tensorsOf(at).length > 0
  if (remembers(state)) throw refusal(name, 'that depends on sample and prediction alone', 'one that remembers')
  const blank: SchedulerState<Shares> = { ...state, history: [], slots: {} }
  const linear: Linear<Shares> = {
    ...sharesLinear,
    clamp: () => { throw refusal(name, 'that is linear in the prediction', 'one that clips x₀, as clipSample asks') },
  }
  const made = scheduler.step(linear, blank, [0, 1, 0], [1, 0, 0], [0, 0, 1])
  if (remembers(made.state)) throw refusal(name, 'that depends on sample and prediction alone', 'one that remembers')
  const [sample, prediction, deviation] = made.sample
  return {
    timestep: currentTimestep(state), input: scheduler.inputScale(state), sample, prediction, deviation,
    clean: [made.x0[0], made.x0[1]], elapsed: elapsedOf(scheduler, state),
  }
}

/** Shares of clean data and of noise at a training timestep, as the scheduler adds noise there. */
export function levelAt(scheduler: Scheduler, timestep: number): NoiseLevel {
  const [signal, , noise] = scheduler.addNoise(sharesLinear, [1, 0, 0], [0, 0, 1], timestep)
  return { signal, noise }
}

function refusal(name: string, expected: string, got: string): ConfigError {
  return new ConfigError(
    `stepCoefficients: expected a step of ${name} ${expected}, got ${got}; take ddim with clipSample: false, ` +
      'eulerAncestral, or flowMatchSde for a flow',
  )
}

function elapsedOf({ schedule }: Scheduler, { plan, step }: SchedulerState<unknown>): number {
  const { sigmas, timesteps, previous = [] } = plan
  if (schedule === null && sigmas) return sigmas[step]! - sigmas[step + 1]!
  const next = previous[step] ?? timesteps[step + 1] ?? 0
  return (timesteps[step]! - Math.max(next, 0)) / (schedule?.trainSteps ?? 1)
}
