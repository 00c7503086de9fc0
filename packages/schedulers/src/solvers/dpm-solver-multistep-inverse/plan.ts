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
 * Several levels can round to one timestep, near which a run would stand still. Where the reference leaves out the timesteps and
 * keeps their levels, so that all later steps have those of others, this refuses.
 * @throws {SchedulerError} if a timestep comes twice
 */
export function inverseCourse(name: string, config: InversePlanConfig, space: VpSpace, request: PlanRequest): Course {
  const { table } = space
  const used = clippedCount(name, table, config.lambdaMinClipped)
  const curved = request.by === 'count' ? curvedLevels(config, table, request.count) : null
  const levels = curved ?? space.levelsAt(risingTimesteps(name, config, table.length, request, used))
  const whole = levels.timesteps.map(Math.trunc)
  const twice = whole.find((timestep, i) => timestep === whole[i - 1])
  if (twice !== undefined) {
    const got = `${whole.length} steps of which two or more lie at timestep ${twice}`
    refuse(`${name}.timesteps`, 'steps that lie at timesteps of their own', got, curved ? 'take fewer, or no curve of sigmas' : 'take fewer')
  }
  // The reference repeats the last level of a curve, and its last step then changes nothing.
  return courseOf(levels, curved === null ? table[used - 1]! : levels.sigmas.at(-1)!)
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
