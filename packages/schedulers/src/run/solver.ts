import { refuse, show } from '../errors.ts'
import { checkNames, resolve, type Field } from '../config/index.ts'
import { combine, type Term } from '../linear/index.ts'
import { cleanSample, type ModelPrediction } from '../prediction/index.ts'
import { mostTimesteps, trainingLevel, type NoiseLevel, type Schedule } from '../schedule/index.ts'
import type { AnySolver, ConfigSource, SamplingPlan, Scheduler, SchedulerState, Solver, Steps } from './contract.ts'
import type { SolverDefinition, SolverMethods, StepCall } from './definition.ts'
import { checkLevels } from './levels.ts'
import { checkedRequest, stepsLeft } from './request.ts'
import { checkPlan, checkState, stepCount } from './state.ts'

/**
 * A solver from its definition: adds the checks, the states and all that solvers do alike.
 * Call it as `solver({ … })` after a `@__PURE__` comment, so that bundles leave out solvers they do not use.
 */
export function solver<C extends object, S extends Schedule | null = Schedule>(
  definition: SolverDefinition<C, S>,
): Solver<C, S> {
  const { name, classNames, process = 'betas', fields, refused = {}, setup } = definition
  const make = (options: Partial<C> = {}, source: Partial<ConfigSource> = {}): Scheduler<C, S> => {
    const config = resolve(name, fields(), options)
    checkNames(`${name}: source`, source, ['given', 'carried'])
    const given = Object.entries(options).flatMap(([option, value]) => (value === undefined ? [] : [option]))
    return schedulerOf(name, config, setup(config, name), { given, carried: {}, ...source }, self as AnySolver)
  }
  // A Solver takes Partial<C> where AnySolver takes any object: what it does not know it refuses by name.
  const self: Solver<C, S> = Object.assign(make, {
    solverName: name,
    classNames,
    process,
    refused,
    fields: () => fields() as unknown as Readonly<Record<string, Field<unknown>>>,
  })
  return Object.freeze(self)
}

function schedulerOf<C extends object, S extends Schedule | null>(
  name: string,
  config: Readonly<C>,
  methods: SolverMethods<S>,
  source: ConfigSource,
  self: AnySolver,
): Scheduler<C, S> {
  const { schedule, accepts = [] } = methods

  const timesteps = (steps: Steps): SamplingPlan => {
    const most = methods.mostSteps ?? schedule?.trainSteps ?? mostTimesteps
    const request = checkedRequest(name, steps, accepts, most)
    const plan: SamplingPlan = { solver: name, ...methods.plan(request) }
    checkLevels(name, plan, methods.rises ?? false, (state) => methods.level(state))
    const count = stepCount(plan)
    const start = methods.plansStrength === true ? 0 : count - stepsLeft(name, count, request.strength)
    return start === 0 ? plan : { ...plan, start }
  }
  const levelAt = (timestep: number): NoiseLevel => {
    const made = methods.levelAt(timestep)
    // A flow's timestep may lie beyond pure noise, that of a model told its level anywhere.
    if (made.signal >= 0 && made.noise >= 0 && made.signal + made.noise < Infinity) return made
    return refuse(name, 'a timestep that its models are told', show(timestep), 'take one from a plan')
  }
  type Ask<R> = (state: SchedulerState<unknown>) => R
  const checked = <R>(ask: Ask<R>): Ask<R> => (state) => {
    checkState(name, state)
    return ask(state)
  }
  const level = checked((state) => methods.level(state))
  const needsNoise = checked((state) => methods.needsNoise?.(state) ?? false)

  return Object.freeze<Scheduler<C, S>>({
    name,
    config,
    schedule,
    solver: self,
    source: Object.freeze(source),
    accepts,
    timesteps,
    begin(steps, startAt) {
      const plan = typeof steps === 'object' && steps !== null && 'solver' in steps ? steps : timesteps(steps)
      checkPlan(name, plan)
      return { plan, step: firstCall(name, plan, startAt ?? plan.start ?? 0), history: [], slots: {}, numbers: {} }
    },
    inputScale: checked((state) => methods.inputScale?.(state) ?? 1),
    level,
    needsNoise,
    step(linear, state, prediction, sample, noise, hooks) {
      if (hooks !== undefined) checkHooks(name, hooks)
      const draws = needsNoise(state)
      if (draws && noise === undefined) {
        refuse(`${name}.step`, 'unit normal noise for this step', 'none', 'pass it where needsNoise(state) is true')
      }
      const used = draws ? noise : undefined
      const made = methods.step({ linear, state, prediction, sample, noise: used, hooks })
      const { history = [], slots = {}, numbers = {} } = made
      return {
        state: { plan: state.plan, step: state.step + 1, history, slots, numbers },
        sample: made.sample,
        x0: made.x0,
      }
    },
    addNoise(linear, x0, noise, at) {
      const { signal, noise: spread } = typeof at === 'number' ? levelAt(at) : level(at)
      return combine(linear, [
        [signal, x0],
        [spread, noise],
      ])
    },
    velocity(linear, x0, noise, timestep) {
      levelAt(timestep)
      // Without a schedule its own velocity is required: see SolverMethods.
      const factors = methods.velocity?.(timestep) ?? tableVelocity(schedule as Schedule, timestep)
      return combine(linear, [
        [factors.noise, noise],
        [factors.clean, x0],
      ])
    },
    initNoiseSigma(plan) {
      checkPlan(name, plan)
      return methods.initNoiseSigma?.(plan) ?? 1
    },
  })
}

function firstCall(name: string, plan: SamplingPlan, startAt: number): number {
  const count = stepCount(plan)
  if (Number.isInteger(startAt) && startAt >= 0 && startAt <= count) {
    return startAt === count ? plan.timesteps.length : (plan.starts?.[startAt] ?? startAt)
  }
  return refuse(`${name}.begin`, `startAt from 0 to ${count}`, show(startAt), 'it counts steps of the plan, not timesteps')
}

function checkHooks(name: string, hooks: object): void {
  checkNames(`${name}.step: hooks`, hooks, ['x0'])
  const { x0 } = hooks as { x0?: unknown }
  if (x0 !== undefined && typeof x0 !== 'function') refuse(`${name}.step`, 'hooks.x0 to be a function', show(x0), 'pass (x0) => …')
}

function tableVelocity(schedule: Schedule, timestep: number): { noise: number; clean: number } {
  const { signal, noise } = trainingLevel(schedule, timestep)
  return { noise: signal, clean: -noise }
}

/**
 * x₀ of a step, clipped and hooked as configured.
 * @param clip `clipTo(call.linear, config)` where the configuration may clip
 */
export function x0Of<T>(
  { linear, prediction, sample, hooks }: StepCall<T>,
  config: { readonly predictionType: ModelPrediction; readonly thresholding?: boolean },
  level: NoiseLevel,
  clip?: (x0: T) => T,
): T {
  return cleanSample(linear, config, level, prediction, sample, hooks, clip)
}

/** The term of a step's noise, or none where it draws none. */
export function noiseTerm<T>({ noise }: StepCall<T>, coefficient: number): Term<T>[] {
  return noise === undefined ? [] : [[coefficient, noise]]
}
