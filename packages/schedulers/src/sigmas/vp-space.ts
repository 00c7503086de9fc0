import { refuse } from '../errors.ts'
import { linspace, roundHalfEven } from '../numeric/index.ts'
import { currentSigma, type PlanRequest, type SchedulerState, type SolverMethods } from '../run/index.ts'
import { scheduleOf, sigmaAt, sigmaTable, zeroSnrAlphaBar, type NoiseLevel, type Schedule, type ScheduleConfig } from '../schedule/index.ts'
import { checkTimesteps, leading, trailing, type SpacingConfig } from '../timesteps/index.ts'
import { hasCurve, type SigmaConfig } from './curves.ts'

type Config = ScheduleConfig & SigmaConfig & { readonly useFlowSigmas?: boolean }

/** Timesteps and the noise levels before each of their steps, [N] each. */
export interface Levels {
  readonly timesteps: readonly number[]
  readonly sigmas: readonly number[]
}

/** What the exponential multistep solvers share: samples x = α·x₀ + σ_t·ε with α² + σ_t² = 1, planned by σ = σ_t/α. */
export interface VpSpace {
  /** σ of each training timestep, [T], rising. */
  readonly table: Float32Array
  /** Signal and noise at a σ of the plan: (1 − σ, σ) of a flow, else of unit power. */
  levelOf(sigma: number): NoiseLevel
  /** The levels of timesteps, spaced ones or the caller's. */
  levelsAt(timesteps: readonly number[]): Levels
  /** The levels of the timesteps in a request, checked. */
  chosen(request: PlanRequest): Levels
  /** The methods that do not depend on the solver, to be spread into its own. */
  readonly methods: Required<Pick<SolverMethods<Schedule>, 'schedule' | 'accepts' | 'level' | 'levelAt'>>
}

/** Half the logarithm of the signal-to-noise ratio, λ = ln(α/σ): the time in which these solvers integrate. */
export function lambda(level: NoiseLevel): number {
  return Math.log(level.signal) - Math.log(level.noise)
}

/**
 * The noise levels of a solver on x = α·x₀ + σ_t·ε. Call {@link checkCurves} before.
 * @param ownLevels whether a curve of the solver's own decides the timesteps
 * @throws {ConfigError} on a schedule whose σ is not finite
 */
export function vpSpace(name: string, config: Config, ownLevels: boolean = false): VpSpace {
  const schedule = scheduleOf(config, zeroSnrAlphaBar)
  const table = sigmaTable(name, schedule)
  const flow = config.useFlowSigmas === true
  const levelOf = (sigma: number): NoiseLevel => {
    if (flow) return { signal: 1 - sigma, noise: sigma }
    const signal = 1 / Math.hypot(sigma, 1)
    return { signal, noise: sigma * signal }
  }
  const levelsAt = (timesteps: readonly number[]): Levels => ({
    timesteps,
    sigmas: timesteps.map((timestep) => sigmaAt(table, timestep)),
  })
  return {
    table,
    levelOf,
    levelsAt,
    chosen(request) {
      const timesteps = request.by === 'timesteps' ? request.timesteps : []
      checkTimesteps(name, timesteps, schedule.trainSteps, { whole: true })
      return levelsAt(timesteps)
    },
    methods: {
      schedule,
      accepts: flow || ownLevels || hasCurve(config) ? [] : ['timesteps'],
      level: (state: SchedulerState<unknown>) => levelOf(currentSigma(state)),
      levelAt: (timestep: number) => levelOf(flow ? timestep / schedule.trainSteps : sigmaAt(table, timestep)),
    },
  }
}

/**
 * Whole timesteps in falling order, [count]: one more is spaced than steps are taken, and the last left out, since the
 * run ends beyond it.
 * @param last number of training timesteps that are used, counted from 0
 */
export function spacedBeyond(
  name: string,
  config: SpacingConfig,
  trainSteps: number,
  count: number,
  last: number = trainSteps,
): number[] {
  switch (config.timestepSpacing) {
    case 'linspace':
      return linspace(0, last - 1, count + 1).map(roundHalfEven).toReversed().slice(0, -1)
    case 'leading': {
      const ratio = Math.floor(last / (count + 1))
      if (ratio > 0) return leading(ratio, count + 1, config.stepsOffset).slice(0, -1)
      return refuse(`${name}.timesteps`, `fewer than ${last} steps`, String(count), "space by 'trailing'")
    }
    case 'trailing':
      return trailing(last, trainSteps / count, count)
    default:
      return config.timestepSpacing satisfies never
  }
}
