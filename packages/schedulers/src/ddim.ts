import { choice, flag, numeric, resolve, type Fields } from './fields.ts'
import { combine } from './linear.ts'
import { roundHalfEven } from './numeric.ts'
import { cleanSample, clipFields, impliedNoise, predictedNoise, type ClipConfig } from './prediction.ts'
import { advance, begin, checkState, mix, required, velocity } from './run.ts'
import { alphaBarAt, scheduleFields, scheduleOf, trainingLevel } from './schedule.ts'
import type { PredictionType, SamplingPlan, Scheduler, SchedulerState, SolverConfig, Steps } from './scheduler.ts'
import { checkCount, checkTimesteps, spacedTimesteps, spacingFields, type SpacingConfig } from './spacing.ts'

/** The options of {@link ddim}, with the defaults of diffusers' DDIMScheduler. */
export interface DdimConfig extends SolverConfig, ClipConfig, SpacingConfig {
  readonly predictionType: PredictionType
  /** Noise of a step: 0 none, 1 that of DDPM; in [0, 1]. */
  readonly eta: number
  /** Whether the last step ends at ᾱ = 1 or at the table's first entry. */
  readonly setAlphaToOne: boolean
  /** Whether ε is derived anew from the clipped x₀. */
  readonly useClippedModelOutput: boolean
}

/** The options of {@link ddim}. */
export const ddimFields: Fields<DdimConfig> = {
  ...scheduleFields,
  ...clipFields,
  ...spacingFields('leading'),
  predictionType: choice('prediction_type', 'epsilon', ['epsilon', 'v_prediction', 'sample']),
  eta: numeric(null, 0, 0, 1),
  setAlphaToOne: flag('set_alpha_to_one', true),
  useClippedModelOutput: flag(null, false),
}

/**
 * Denoising diffusion implicit models: deterministic at eta 0, and with as few steps as wanted.
 *
 * A step from t ends at t − ⌊T/N⌋, as in diffusers, which differs from the next timestep of the plan where N does not
 * divide T. With timesteps of the caller's own it ends at the next of them.
 * @throws {ConfigError} on an unknown option or value
 * Source: DDIM, arXiv 2010.02502, equations 12 and 16.
 */
export function ddim(options: Partial<DdimConfig> = {}): Scheduler<DdimConfig> {
  const config = resolve('ddim', ddimFields, options)
  const schedule = scheduleOf(config, 0)
  const finalAlphaBar = config.setAlphaToOne ? 1 : schedule.alphasCumprod[0]!

  const timesteps = (steps: Steps): SamplingPlan => {
    if (typeof steps !== 'number') {
      checkTimesteps('ddim', steps.timesteps, schedule.trainSteps, true)
      return { solver: 'ddim', timesteps: [...steps.timesteps], previous: [...steps.timesteps.slice(1), -1] }
    }
    checkCount('ddim', steps, schedule.trainSteps)
    const chosen = spacedTimesteps(config, schedule.trainSteps, steps).map(roundHalfEven)
    checkTimesteps('ddim', chosen, schedule.trainSteps, true)
    const stride = Math.floor(schedule.trainSteps / steps)
    return { solver: 'ddim', timesteps: chosen, previous: chosen.map((t) => Math.max(t - stride, -1)) }
  }
  const timestepOf = (state: SchedulerState<unknown>): number => {
    checkState('ddim', state)
    return state.plan.timesteps[state.step]!
  }
  const level = (state: SchedulerState<unknown>): ReturnType<typeof trainingLevel> =>
    trainingLevel(schedule, timestepOf(state))

  return Object.freeze<Scheduler<DdimConfig>>({
    name: 'ddim',
    config,
    schedule,
    timesteps,
    begin: (steps, startAt = 0) => begin('ddim', timesteps, steps, startAt),
    inputScale: () => 1,
    initNoiseSigma: () => 1,
    level,
    needsNoise(state) {
      checkState('ddim', state)
      return config.eta > 0
    },
    step(linear, state, prediction, sample, noise, hooks) {
      const alphaBar = alphaBarAt(schedule, timestepOf(state))
      const target = state.plan.previous![state.step]!
      const alphaBarNext = target >= 0 ? alphaBarAt(schedule, target) : finalAlphaBar
      const here = level(state)
      const x0 = cleanSample(linear, config, here, prediction, sample, hooks)
      const epsilon = config.useClippedModelOutput
        ? impliedNoise(linear, here, x0, sample)
        : predictedNoise(linear, config.predictionType, here, prediction, sample)
      const variance = config.eta ** 2 * ((1 - alphaBarNext) / (1 - alphaBar)) * (1 - alphaBar / alphaBarNext)
      const next = combine(linear, [
        [Math.sqrt(alphaBarNext), x0],
        // Rounding can bring the difference below zero where the step's noise takes all of it.
        [Math.sqrt(Math.max(1 - alphaBarNext - variance, 0)), epsilon],
        ...(config.eta > 0 ? [[Math.sqrt(variance), required('ddim', noise)] as const] : []),
      ])
      return { state: advance(state, []), sample: next, x0 }
    },
    addNoise: (linear, x0, noise, at) =>
      mix(linear, typeof at === 'number' ? trainingLevel(schedule, at) : level(at), x0, noise),
    velocity: (linear, x0, noise, timestep) => velocity(linear, schedule, x0, noise, timestep),
  })
}
