import { flag } from '../../config/index.ts'
import { refuse } from '../../errors.ts'
import { combine } from '../../linear/index.ts'
import { roundHalfEven } from '../../numeric/index.ts'
import { clipFields, clipTo, predictedNoise, predictionField, type ClipConfig, type PredictionType } from '../../prediction/index.ts'
import { currentTimestep, solver, x0Of, type Solver } from '../../run/index.ts'
import { scheduleFields, scheduleOf, trainingLevel, type NoiseLevel, type ScheduleConfig } from '../../schedule/index.ts'
import { checkTimesteps, spacedTimesteps, spacingFields, type SpacingConfig } from '../../timesteps/index.ts'

/** The options of {@link ddimInverse}, with the defaults of diffusers' DDIMInverseScheduler. */
export interface DdimInverseConfig extends ScheduleConfig, ClipConfig, SpacingConfig {
  readonly predictionType: PredictionType
  /** Whether the first step begins at ᾱ = 1 or at the table's first entry. */
  readonly setAlphaToOne: boolean
}

/**
 * DDIM backwards: from an image to the noise from which {@link ddim} makes it again, as editing by inversion needs.
 *
 * Timesteps rise. A call at t takes the sample from t − ⌊T/N⌋ to t and tells the model t, the end of its step: the
 * model's output hardly changes within a step, and ddim at t will ask for it there. With timesteps of the caller's own
 * each step begins at the one before.
 * @throws {ConfigError} on an unknown option or value
 * Source: DDIM, arXiv 2010.02502, equation 14 and section 5.4.
 */
export const ddimInverse: Solver<DdimInverseConfig> = /* @__PURE__ */ solver<DdimInverseConfig>({
  name: 'ddimInverse',
  classNames: ['DDIMInverseScheduler'],
  fields: () => ({
    ...scheduleFields(),
    ...clipFields(true),
    ...spacingFields('leading'),
    predictionType: predictionField(),
    setAlphaToOne: flag(true),
  }),
  setup(config, name) {
    const schedule = scheduleOf(config, 0)
    const levelAt = (timestep: number): NoiseLevel => trainingLevel(schedule, timestep)
    const beginning = config.setAlphaToOne ? { signal: 1, noise: 0 } : levelAt(0)
    const startOf = (timestep: number): NoiseLevel => (timestep >= 0 ? levelAt(timestep) : beginning)

    return {
      schedule,
      accepts: ['timesteps'],
      rises: true,
      levelAt,
      level: ({ plan, step }) => startOf(plan.extra!['from']![step]!),
      plan(request) {
        const chosen =
          request.by === 'count'
            ? spacedTimesteps(config, schedule.trainSteps, request.count).map(roundHalfEven).toReversed()
            : request.by === 'timesteps' ? [...request.timesteps] : []
        checkTimesteps(name, chosen, schedule.trainSteps, { whole: true, rising: true })
        if (request.by !== 'count') return { timesteps: chosen, extra: { from: [-1, ...chosen.slice(0, -1)] } }
        const stride = Math.floor(schedule.trainSteps / request.count)
        return { timesteps: chosen, extra: { from: chosen.map((t) => Math.max(t - stride, -1)) } }
      },
      step(call) {
        const { linear, state, prediction, sample } = call
        const here = startOf(state.plan.extra!['from']![state.step]!)
        if (here.noise === 0 && config.predictionType === 'sample') {
          refuse(`${name}.step`, 'a model of epsilon or v where there is no noise yet', "one of 'sample'", 'set setAlphaToOne: false')
        }
        const next = levelAt(currentTimestep(state))
        const x0 = x0Of(call, config, here, clipTo(linear, config))
        const moved = combine(linear, [
          [next.signal, x0],
          [next.noise, predictedNoise(linear, config.predictionType, here, prediction, sample)],
        ])
        return { sample: moved, x0 }
      },
    }
  },
})
