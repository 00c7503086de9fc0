import { refuse, show } from '../errors.ts'
import type { SamplingPlan, SchedulerState } from './contract.ts'

/** Whether a run has taken all its steps. */
export function isDone(state: SchedulerState<unknown>): boolean {
  return state.step >= state.plan.timesteps.length
}

/**
 * What to tell the model at the next call.
 * @throws {SchedulerError} after the last step
 */
export function currentTimestep(state: SchedulerState<unknown>): number {
  const timestep = state.plan.timesteps[state.step]
  if (timestep !== undefined) return timestep
  return refuseStep('step', state)
}

/**
 * The same state with its tensors in another form: `(x) => [...x]` before JSON, `Float32Array.from` after it.
 * @throws {SchedulerError} if a list holds null, which is what JSON makes of NaN and ±∞
 */
export function mapState<T, U>(state: SchedulerState<T>, convert: (value: T) => U): SchedulerState<U> {
  const sound = (value: T): U => {
    // Float32Array.from would make 0 of it.
    if (Array.isArray(value) && value.includes(null)) {
      refuse('mapState', 'numbers', 'null', 'JSON has no NaN and no infinity: the state was not finite when it was written')
    }
    return convert(value)
  }
  const slots = Object.fromEntries(Object.entries(state.slots).map(([name, value]) => [name, sound(value)]))
  return { ...state, history: state.history.map(sound), slots }
}

/** Every tensor that a state holds: those to keep alive until the step after. */
export function tensorsOf<T>(state: SchedulerState<T>): T[] {
  return [...state.history, ...Object.values(state.slots)]
}

/** Number of steps N of a plan, whatever calls of the model each takes. */
export function stepCount(plan: SamplingPlan): number {
  return (plan.starts ?? plan.timesteps).length
}

/** σ before the next call. Only for plans that have them. */
export function currentSigma(state: SchedulerState<unknown>): number {
  return state.plan.sigmas![state.step]!
}

/** σ after the next call. Only for plans that have them. */
export function nextSigma(state: SchedulerState<unknown>): number {
  return state.plan.sigmas![state.step + 1]!
}

/** Throws unless the plan is this solver's own. */
export function checkPlan(solver: string, plan: SamplingPlan): void {
  if (plan.solver !== solver) refuse(solver, `a plan of ${solver}`, `one of ${show(plan.solver)}`, 'begin a new run with this solver')
  if (sound.has(plan)) return
  const { timesteps, sigmas, previous, starts, extra = {} } = plan
  const lists: Readonly<Record<string, readonly number[] | undefined>> = { timesteps, sigmas, previous, starts, ...extra }
  for (const [part, list] of Object.entries(lists)) {
    if (list === undefined ? part !== 'timesteps' : Array.isArray(list) && list.length > 0 && list.every(Number.isFinite)) continue
    refuse(solver, `a plan with finite ${part}`, show(list), 'begin a new run')
  }
  const calls = timesteps.length
  if ((sigmas?.length ?? calls + 1) === calls + 1 && (previous?.length ?? calls) === calls) sound.add(plan)
  else refuse(solver, `a plan of ${calls} calls`, 'lists of other lengths', 'begin a new run')
}

/** Plans that were checked: they never change, and a run asks at every step. */
const sound = new WeakSet<SamplingPlan>()

/** Throws unless the state is this solver's own and has a step left. */
export function checkState(solver: string, state: SchedulerState<unknown>): void {
  checkPlan(solver, state.plan)
  if (!Number.isInteger(state.step) || state.step < 0 || isDone(state)) refuseStep(solver, state)
}

function refuseStep(where: string, { plan, step }: SchedulerState<unknown>): never {
  const advice = 'the run is over: begin another, or stop when isDone(state)'
  return refuse(where, `a step from 0 to ${plan.timesteps.length - 1}`, show(step), advice)
}
