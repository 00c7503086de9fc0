import { refuse } from '../../errors.ts'
import { clippedCount, courseOf } from '../../multistep/index.ts'
import { linspace, roundHalfEven } from '../../numeric/index.ts'
import type { Course, PlanRequest } from '../../run/index.ts'
import { curvedSigmas, timestepFinder, type Levels, type SigmaConfig, type VpSpace } from '../../sigmas/index.ts'
import { checkTimesteps, trailing, type SpacingConfig } from '../../timesteps/index.ts'

/** The options that the levels of an inversion follow from. */
export interface InversePlanConfig extends SpacingConfig, SigmaConfig {
  /** Leaves out timesteps with λ below this; −5.1 suits 'squaredcos_cap_v2'. */
  readonly lambdaMinClipped: number
}

/**
 * The levels of an inversion, rising to those of the noisiest timestep.
 *
 * Several levels can round to one timestep. The first of them stays, with its level; the reference leaves out only the
 * timesteps, so that the levels of all steps after are those of others.
 */
export function inverseCourse(name: string, config: InversePlanConfig, space: VpSpace, request: PlanRequest): Course {
  const { table } = space
  const used = clippedCount(name, table, config.lambdaMinClipped)
  const curved = request.by === 'count' ? curvedLevels(config, table, request.count) : null
  const { timesteps, sigmas } = curved ?? space.levelsAt(risingTimesteps(name, config, table.length, request, used))
  const kept = timesteps.map((_, i) => i).filter((i) => i === 0 || Math.trunc(timesteps[i]!) !== Math.trunc(timesteps[i - 1]!))
  const levels = { timesteps: kept.map((i) => timesteps[i]!), sigmas: kept.map((i) => sigmas[i]!) }
  // The reference repeats the last level of a curve, and its last step then changes nothing.
  return courseOf(levels, curved === null ? table[used - 1]! : sigmas.at(-1)!)
}

function curvedLevels(config: SigmaConfig, table: Float32Array, count: number): Levels | null {
  const sigmas = curvedSigmas(config, table[0]!, table.at(-1)!, count)
  if (sigmas === null) return null
  const found = sigmas.map(timestepFinder(table))
  return { timesteps: config.useKarrasSigmas ? found.map(roundHalfEven) : found, sigmas }
}

/** Timesteps from the caller, or spaced ones; of 'linspace' and 'leading' the run ends one further than the last. */
function risingTimesteps(
  name: string,
  { timestepSpacing, stepsOffset }: SpacingConfig,
  trainSteps: number,
  request: PlanRequest,
  used: number,
): readonly number[] {
  if (request.by !== 'count') {
    const chosen = request.by === 'timesteps' ? request.timesteps : []
    checkTimesteps(name, chosen, trainSteps, { whole: true, rising: true })
    return chosen
  }
  const { count } = request
  switch (timestepSpacing) {
    case 'linspace':
      return linspace(0, used - 1, count + 1).slice(0, -1).map(roundHalfEven)
    case 'leading': {
      const ratio = Math.floor(used / (count + 1))
      if (ratio > 0) return Array.from({ length: count }, (_, i) => i * ratio + stepsOffset)
      return refuse(`${name}.timesteps`, `fewer than ${used} steps`, String(count), "space by 'trailing'")
    }
    case 'trailing':
      return trailing(used, trainSteps / count, count).toReversed()
    default:
      return timestepSpacing satisfies never
  }
}
