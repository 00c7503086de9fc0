import { roundHalfEven } from '../../numeric/index.ts'
import type { Course } from '../../run/index.ts'
import { checkTimesteps, spacedTimesteps, type SpacingConfig } from '../../timesteps/index.ts'

/** The options that the plan of PNDM follows from. */
export interface PndmPlanConfig extends SpacingConfig {
  /** Whether a run starts by averaging two slopes of one step instead of by three Runge–Kutta steps. */
  readonly skipPrkSteps: boolean
}

/** Calls of the model in a Runge–Kutta step. */
export const rungeKuttaCalls = 4

/** Steps by Runge–Kutta before the multistep formula has the slopes that it needs. */
const warmUp = 3

/**
 * The plan of a run: `extra.from` is the timestep that each call's update starts at, and `previous` the one that it
 * ends at, −1 beyond the table. Updates end ⌊T/N⌋ below their start, or at the middle of that, as in diffusers; where N
 * does not divide T, the next timesteps of the plan lie beside them.
 * @throws {SchedulerError} if the offset leads out of the table
 */
export function pndmPlan(name: string, config: PndmPlanConfig, trainSteps: number, count: number): Course {
  const spaced = spacedTimesteps(config, trainSteps, count).map(roundHalfEven)
  checkTimesteps(name, spaced, trainSteps, { whole: true })
  const stride = Math.floor(trainSteps / count)
  const half = Math.floor(stride / 2)
  const calls: { told: number; from: number; to: number }[] = []
  const starts: number[] = []
  const before = config.skipPrkSteps ? 0 : Math.min(warmUp, count - 1)
  for (const [i, timestep] of spaced.entries()) {
    starts.push(calls.length)
    const next = spaced[i + 1] ?? -1
    if (i < before) {
      const middle = { told: next + half, from: timestep, to: next + half }
      const end = { told: next, from: timestep, to: next }
      calls.push({ told: timestep, from: timestep, to: timestep - half }, middle, { ...middle, to: next }, end)
      continue
    }
    calls.push({ told: timestep, from: timestep, to: Math.max(timestep - stride, -1) })
    const again = config.skipPrkSteps && i === 0 && count > 1
    if (again) calls.push({ told: next, from: next + stride, to: next })
  }
  return {
    timesteps: calls.map(({ told }) => told),
    previous: calls.map(({ to }) => to),
    starts,
    extra: { from: calls.map(({ from }) => from) },
  }
}
