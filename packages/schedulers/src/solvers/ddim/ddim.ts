import { flag, numeric } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import { roundHalfEven } from '../../numeric/index.ts'
import {
  clipFields,
  clipTo,
  impliedNoise,
  predictedNoise,
  predictionField,
  thresholdFields,
  type ClipConfig,
  type PredictionType,
  type ThresholdConfig,
} from '../../prediction/index.ts'
import { currentTimestep, noiseTerm, solver, x0Of, type Solver } from '../../run/index.ts'
import { alphaBarAt, scheduleFields, scheduleOf, trainingLevel, type ScheduleConfig } from '../../schedule/index.ts'
import { checkTimesteps, spacedTimesteps, spacingFields, type SpacingConfig } from '../../timesteps/index.ts'

/** The options of {@link ddim}, with the defaults of diffusers' DDIMScheduler. */
export interface DdimConfig extends ScheduleConfig, ClipConfig, ThresholdConfig, SpacingConfig {
  readonly predictionType: PredictionType
  /** Noise of a step: 0 none, 1 that of DDPM; in [0, 1]. */
  readonly eta: number
  /** Whether the last step ends at ᾱ = 1 or at the table's first entry. */
  readonly setAlphaToOne: boolean
  /** Whether ε is derived anew from the clipped x₀. */
  readonly useClippedModelOutput: boolean
}

/**
 * Denoising diffusion implicit models: deterministic at eta 0, and with as few steps as wanted.
 *
 * A step from t ends at t − ⌊T/N⌋, as in diffusers, which differs from the next timestep of the plan where N does not
 * divide T. With timesteps of the caller's own it ends at the next of them.
 * @throws {ConfigError} on an unknown option or value
 * Source: DDIM, arXiv 2010.02502, equations 12 and 16.
 */
export const ddim: Solver<DdimConfig> = /* @__PURE__ */ solver<DdimConfig>({
  name: 'ddim',
  classNames: ['DDIMScheduler', 'DDIMParallelScheduler'],
  fields: () => ({
    ...scheduleFields(),
    ...clipFields(true),
    ...thresholdFields(),
    ...spacingFields('leading'),
    predictionType: predictionField(),
    eta: numeric(0, 0, 1),
    setAlphaToOne: flag(true),
    useClippedModelOutput: flag(false),
  }),
  setup(config, name) {
    const schedule = scheduleOf(config, 0)
    const finalAlphaBar = config.setAlphaToOne ? 1 : schedule.alphasCumprod[0]!
    const levelAt = (timestep: number): ReturnType<typeof trainingLevel> => trainingLevel(schedule, timestep)

    return {
      schedule,
      accepts: ['timesteps'],
      levelAt,
      level: (state) => levelAt(currentTimestep(state)),
      needsNoise: () => config.eta > 0,
      plan(request) {
        const chosen =
          request.by === 'count'
            ? spacedTimesteps(config, schedule.trainSteps, request.count).map(roundHalfEven)
            : request.by === 'timesteps' ? [...request.timesteps] : []
        checkTimesteps(name, chosen, schedule.trainSteps, { whole: true })
        if (request.by !== 'count') return { timesteps: chosen, previous: [...chosen.slice(1), -1] }
        const stride = Math.floor(schedule.trainSteps / request.count)
        return { timesteps: chosen, previous: chosen.map((t) => Math.max(t - stride, -1)) }
      },
      step(call) {
        const { linear, state, prediction, sample } = call
        const timestep = currentTimestep(state)
        const alphaBar = alphaBarAt(schedule, timestep)
        const target = state.plan.previous![state.step]!
        const alphaBarNext = target >= 0 ? alphaBarAt(schedule, target) : finalAlphaBar
        const here = levelAt(timestep)
        const x0 = x0Of(call, config, here, clipTo(linear, config))
        const epsilon = config.useClippedModelOutput
          ? impliedNoise(linear, here, x0, sample)
          : predictedNoise(linear, config.predictionType, here, prediction, sample)
        const variance = config.eta ** 2 * ((1 - alphaBarNext) / (1 - alphaBar)) * (1 - alphaBar / alphaBarNext)
        const next = combine(linear, [
          [Math.sqrt(alphaBarNext), x0],
          // Rounding can bring the difference below zero where the step's noise takes all of it.
          [Math.sqrt(Math.max(1 - alphaBarNext - variance, 0)), epsilon],
          ...noiseTerm(call, Math.sqrt(variance)),
        ])
        return { sample: next, x0 }
      },
    }
  },
})
