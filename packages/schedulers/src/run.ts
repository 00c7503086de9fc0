import { SchedulerError } from './errors.ts'
import { show } from './fields.ts'
import { combine, type Linear } from './linear.ts'
import { trainingLevel, type NoiseLevel, type Schedule } from './schedule.ts'
import { isDone, type SamplingPlan, type SchedulerState, type SolverName, type Steps } from './scheduler.ts'

// What every solver does alike: beginning a run, checking a state, drawing noise in, moving on.

/** The state before step `startAt` of a plan, or of the plan that `timesteps` makes. */
export function begin<T>(
  solver: SolverName,
  timesteps: (steps: Steps) => SamplingPlan,
  steps: Steps | SamplingPlan,
  startAt: number,
): SchedulerState<T> {
  const plan = typeof steps === 'object' && 'solver' in steps ? steps : timesteps(steps)
  checkSolver(solver, plan)
  if (!Number.isInteger(startAt) || startAt < 0 || startAt > plan.timesteps.length) {
    throw new SchedulerError(
      `${solver}.begin: expected startAt from 0 to ${plan.timesteps.length}, got ${show(startAt)}; ` +
        'it counts steps of the plan, not timesteps',
    )
  }
  return { plan, step: startAt, history: [] }
}

/** Throws unless the plan is this solver's own. */
export function checkSolver(solver: SolverName, plan: SamplingPlan): void {
  if (plan.solver === solver) return
  throw new SchedulerError(
    `${solver}: expected a plan of ${solver}, got one of ${show(plan.solver)}; begin a new run with this solver`,
  )
}

/** Throws unless the state is this solver's own and has a step left. */
export function checkState(solver: SolverName, state: SchedulerState<unknown>): void {
  checkSolver(solver, state.plan)
  if (state.step >= 0 && !isDone(state)) return
  throw new SchedulerError(
    `${solver}: expected a step from 0 to ${state.plan.timesteps.length - 1}, got ${show(state.step)}; ` +
      'the run is over, so begin another or stop when isDone(state)',
  )
}

/** The noise of a step that needs it. */
export function required<T>(solver: SolverName, noise: T | undefined): T {
  if (noise !== undefined) return noise
  throw new SchedulerError(
    `${solver}.step: expected unit normal noise for this step, got none; pass it where needsNoise(state) is true`,
  )
}

/** signal·x₀ + noise·ε. */
export function mix<T>(linear: Linear<T>, level: NoiseLevel, x0: T, noise: T): T {
  return combine(linear, [
    [level.signal, x0],
    [level.noise, noise],
  ])
}

/** √ᾱ·ε − √(1−ᾱ)·x₀. */
export function velocity<T>(linear: Linear<T>, schedule: Schedule, x0: T, noise: T, timestep: number): T {
  const level = trainingLevel(schedule, timestep)
  return combine(linear, [
    [level.signal, noise],
    [-level.noise, x0],
  ])
}

/** The state after a step. */
export function advance<T>(state: SchedulerState<T>, history: readonly T[]): SchedulerState<T> {
  return { plan: state.plan, step: state.step + 1, history }
}
