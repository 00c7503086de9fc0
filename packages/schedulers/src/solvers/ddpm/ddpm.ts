import { choice } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import { roundHalfEven } from '../../numeric/index.ts'
import { clipFields, clipTo, predictionField, thresholdFields, type ClipConfig, type PredictionType, type ThresholdConfig } from '../../prediction/index.ts'
import { currentTimestep, noiseTerm, solver, x0Of, type SchedulerState, type Solver } from '../../run/index.ts'
import { alphaBarAt, scheduleFields, scheduleOf, trainingLevel, type ScheduleConfig } from '../../schedule/index.ts'
import { checkTimesteps, spacedTimesteps, spacingFields, type SpacingConfig } from '../../timesteps/index.ts'

/** The options of {@link ddpm}, with the defaults of diffusers' DDPMScheduler. */
export interface DdpmConfig extends ScheduleConfig, ClipConfig, ThresholdConfig, SpacingConfig {
  readonly predictionType: PredictionType
  /** Variance of the noise of a step: the posterior's (also in its 'log' form, of equal value here) or β. */
  readonly varianceType: 'fixed_small' | 'fixed_small_log' | 'fixed_large'
}

/**
 * Ancestral sampling down the trained chain; every step but the last draws noise.
 * @throws {ConfigError} on an unknown option or value
 * Source: DDPM, arXiv 2006.11239, equations 6, 7 and 15.
 */
export const ddpm: Solver<DdpmConfig> = /* @__PURE__ */ solver<DdpmConfig>({
  name: 'ddpm',
  classNames: ['DDPMScheduler', 'DDPMParallelScheduler'],
  fields: () => ({
    ...scheduleFields(),
    ...clipFields(true),
    ...thresholdFields(),
    ...spacingFields('leading'),
    predictionType: predictionField(),
    varianceType: choice('fixed_small', ['fixed_small', 'fixed_small_log', 'fixed_large']),
  }),
  setup(config, name) {
    const schedule = scheduleOf(config, 0)
    const needsNoise = (state: SchedulerState<unknown>): boolean => currentTimestep(state) > 0
    const levelAt = (timestep: number): ReturnType<typeof trainingLevel> => trainingLevel(schedule, timestep)

    return {
      schedule,
      accepts: ['timesteps'],
      levelAt,
      level: (state) => levelAt(currentTimestep(state)),
      needsNoise,
      plan(request) {
        const chosen =
          request.by === 'count'
            ? spacedTimesteps(config, schedule.trainSteps, request.count).map(roundHalfEven)
            : request.by === 'timesteps' ? [...request.timesteps] : []
        checkTimesteps(name, chosen, schedule.trainSteps, { whole: true })
        return { timesteps: chosen, previous: [...chosen.slice(1), -1] }
      },
      step(call) {
        const { linear, state, sample } = call
        const timestep = currentTimestep(state)
        const alphaBar = alphaBarAt(schedule, timestep)
        const target = state.plan.previous![state.step]!
        const alphaBarNext = target >= 0 ? alphaBarAt(schedule, target) : 1
        // In float32 like the tables: 1 − α of late steps has few digits, and reference samplers have just these.
        const alpha = Math.fround(alphaBar / alphaBarNext)
        const x0 = x0Of(call, config, levelAt(timestep), clipTo(linear, config))
        const posterior = Math.max(((1 - alphaBarNext) / (1 - alphaBar)) * (1 - alpha), 1e-20)
        const variance = config.varianceType === 'fixed_large' ? 1 - alpha : posterior
        const next = combine(linear, [
          [(Math.sqrt(alphaBarNext) * (1 - alpha)) / (1 - alphaBar), x0],
          [(Math.sqrt(alpha) * (1 - alphaBarNext)) / (1 - alphaBar), sample],
          ...noiseTerm(call, Math.sqrt(variance)),
        ])
        return { sample: next, x0 }
      },
    }
  },
})
