import type { Scheduler, SchedulerState } from '@antipode/schedulers'
import type { GuidancePoint } from '../guidance/index.ts'

/** Where the next call of a run stands, for guidance. */
export function pointOf(scheduler: Scheduler, state: SchedulerState<unknown>): GuidancePoint {
  const { step, plan: { timesteps: { length: steps } } } = state
  const sigmaOf = (at: SchedulerState<unknown>): number => {
    const { signal, noise } = scheduler.level(at)
    return noise / signal
  }
  return { step, steps, sigma: sigmaOf(state), nextSigma: step + 1 < steps ? sigmaOf({ ...state, step: step + 1 }) : 0 }
}
