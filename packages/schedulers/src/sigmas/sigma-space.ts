import type { PlanRequest, SamplingPlan, SchedulerState, SolverMethods } from '../run/index.ts'
import { currentSigma } from '../run/index.ts'
import { scheduleOf, sigmaAt, sigmaTable, zeroSnrAlphaBar, type Schedule, type ScheduleConfig } from '../schedule/index.ts'
import { checkTimesteps, spacedTimesteps, type SpacingConfig } from '../timesteps/index.ts'
import { curvedSigmas, hasCurve, timestepFinder, type SigmaConfig } from './curves.ts'

type Config = ScheduleConfig & SpacingConfig & Partial<SigmaConfig>

/** What the solvers of Karras et al. share: samples x = x₀ + σ·ε, on levels from the tables of training. */
export interface SigmaSpace {
  /** σ of each training timestep, [T], rising. */
  readonly table: Float32Array
  /** The (fractional) timestep of a level. */
  timestepOf(sigma: number): number
  /**
   * Timesteps and the levels before each step, [N] each. The curve of the configuration lies between the spaced ends, and
   * levels of the caller's own replace it.
   */
  levels(request: PlanRequest, ends?: { low: number | null; high: number | null }): { timesteps: number[]; sigmas: number[] }
  /** The methods that do not depend on the solver, to be spread into its own. */
  readonly methods: Required<
    Pick<SolverMethods<Schedule>, 'schedule' | 'accepts' | 'level' | 'levelAt' | 'inputScale' | 'initNoiseSigma'>
  >
}

/**
 * The noise levels of a solver on x = x₀ + σ·ε. Call {@link checkCurves} before.
 * @throws {ConfigError} on a schedule whose σ is not finite
 */
export function sigmaSpace(name: string, config: Config): SigmaSpace {
  const schedule = scheduleOf(config, zeroSnrAlphaBar)
  const table = sigmaTable(name, schedule)
  const timestepOf = timestepFinder(table)
  const { useKarrasSigmas = false, useExponentialSigmas = false, useBetaSigmas = false } = config
  const curves = { useKarrasSigmas, useExponentialSigmas, useBetaSigmas }

  const spaced = (request: PlanRequest): readonly number[] => {
    if (request.by === 'count') return spacedTimesteps(config, schedule.trainSteps, request.count).map(Math.fround)
    const chosen = request.by === 'timesteps' ? request.timesteps : request.sigmas.map(timestepOf)
    checkTimesteps(name, chosen, schedule.trainSteps, { whole: false })
    return chosen
  }
  return {
    table,
    timestepOf,
    levels(request, { low, high } = { low: null, high: null }) {
      const timesteps = spaced(request).map(Math.fround)
      const sigmas = request.by === 'sigmas' ? [...request.sigmas] : timesteps.map((t) => sigmaAt(table, t))
      const ends = [high ?? sigmas[0]!, low ?? sigmas.at(-1)!] as const
      const curved = request.by === 'sigmas' ? null : curvedSigmas(curves, ...ends, sigmas.length)
      return curved === null ? { timesteps, sigmas } : { timesteps: curved.map(timestepOf).map(Math.fround), sigmas: curved }
    },
    methods: {
      schedule,
      accepts: hasCurve(curves) ? [] : ['timesteps', 'sigmas'],
      level: (state: SchedulerState<unknown>) => ({ signal: 1, noise: currentSigma(state) }),
      levelAt: (timestep: number) => ({ signal: 1, noise: sigmaAt(table, timestep) }),
      inputScale: (state: SchedulerState<unknown>) => 1 / Math.hypot(currentSigma(state), 1),
      initNoiseSigma(plan: SamplingPlan) {
        const largest = Math.max(...plan.sigmas!)
        return config.timestepSpacing === 'leading' ? Math.hypot(largest, 1) : largest
      },
    },
  }
}
