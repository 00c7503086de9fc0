import { choice, resolve, type Fields } from './fields.ts'
import { combine } from './linear.ts'
import { roundHalfEven } from './numeric.ts'
import { cleanSample, clipFields, type ClipConfig } from './prediction.ts'
import { advance, begin, checkState, mix, required, velocity } from './run.ts'
import { alphaBarAt, scheduleFields, scheduleOf, trainingLevel } from './schedule.ts'
import type { PredictionType, SamplingPlan, Scheduler, SchedulerState, SolverConfig, Steps } from './scheduler.ts'
import { checkCount, checkTimesteps, spacedTimesteps, spacingFields, type SpacingConfig } from './spacing.ts'

/** The options of {@link ddpm}, with the defaults of diffusers' DDPMScheduler. */
export interface DdpmConfig extends SolverConfig, ClipConfig, SpacingConfig {
  readonly predictionType: PredictionType
  /** Variance of the noise of a step: the posterior's (also in its 'log' form, of equal value here) or β. */
  readonly varianceType: 'fixed_small' | 'fixed_small_log' | 'fixed_large'
}

/** The options of {@link ddpm}. */
export const ddpmFields: Fields<DdpmConfig> = {
  ...scheduleFields,
  ...clipFields,
  ...spacingFields('leading'),
  predictionType: choice('prediction_type', 'epsilon', ['epsilon', 'v_prediction', 'sample']),
  varianceType: choice('variance_type', 'fixed_small', ['fixed_small', 'fixed_small_log', 'fixed_large']),
}

/**
 * Ancestral sampling down the trained chain; every step but the last draws noise.
 * @throws {ConfigError} on an unknown option or value
 * Source: DDPM, arXiv 2006.11239, equations 6, 7 and 15.
 */
export function ddpm(options: Partial<DdpmConfig> = {}): Scheduler<DdpmConfig> {
  const config = resolve('ddpm', ddpmFields, options)
  const schedule = scheduleOf(config, 0)

  const timesteps = (steps: Steps): SamplingPlan => {
    const chosen = typeof steps === 'number' ? spaced(steps) : steps.timesteps
    checkTimesteps('ddpm', chosen, schedule.trainSteps, true)
    return { solver: 'ddpm', timesteps: [...chosen], previous: [...chosen.slice(1), -1] }
  }
  const spaced = (count: number): number[] => {
    checkCount('ddpm', count, schedule.trainSteps)
    return spacedTimesteps(config, schedule.trainSteps, count).map(roundHalfEven)
  }
  const timestepOf = (state: SchedulerState<unknown>): number => {
    checkState('ddpm', state)
    return state.plan.timesteps[state.step]!
  }
  const needsNoise = (state: SchedulerState<unknown>): boolean => timestepOf(state) > 0
  const level = (state: SchedulerState<unknown>): ReturnType<typeof trainingLevel> =>
    trainingLevel(schedule, timestepOf(state))

  return Object.freeze<Scheduler<DdpmConfig>>({
    name: 'ddpm',
    config,
    schedule,
    timesteps,
    begin: (steps, startAt = 0) => begin('ddpm', timesteps, steps, startAt),
    inputScale: () => 1,
    initNoiseSigma: () => 1,
    level,
    needsNoise,
    step(linear, state, prediction, sample, noise, hooks) {
      const alphaBar = alphaBarAt(schedule, timestepOf(state))
      const target = state.plan.previous![state.step]!
      const alphaBarNext = target >= 0 ? alphaBarAt(schedule, target) : 1
      // In float32 like the tables: 1 − α of late steps has few digits, and reference samplers have just these.
      const alpha = Math.fround(alphaBar / alphaBarNext)
      const x0 = cleanSample(linear, config, level(state), prediction, sample, hooks)
      const posterior = Math.max(((1 - alphaBarNext) / (1 - alphaBar)) * (1 - alpha), 1e-20)
      const variance = config.varianceType === 'fixed_large' ? 1 - alpha : posterior
      const next = combine(linear, [
        [(Math.sqrt(alphaBarNext) * (1 - alpha)) / (1 - alphaBar), x0],
        [(Math.sqrt(alpha) * (1 - alphaBarNext)) / (1 - alphaBar), sample],
        ...(needsNoise(state) ? [[Math.sqrt(variance), required('ddpm', noise)] as const] : []),
      ])
      return { state: advance(state, []), sample: next, x0 }
    },
    addNoise: (linear, x0, noise, at) =>
      mix(linear, typeof at === 'number' ? trainingLevel(schedule, at) : level(at), x0, noise),
    velocity: (linear, x0, noise, timestep) => velocity(linear, schedule, x0, noise, timestep),
  })
}
