import { numeric } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import { predictedNoise, predictionField, type PredictionType } from '../../prediction/index.ts'
import { currentTimestep, noiseTerm, solver, x0Of, type Solver } from '../../run/index.ts'
import { alphaBarAt, scheduleFields, scheduleOf, trainingLevel, type NoiseLevel, type ScheduleConfig } from '../../schedule/index.ts'
import { distilledFields, distilledTimesteps, type DistilledConfig } from '../../timesteps/index.ts'

/** The options of {@link tcd}, with the defaults of diffusers' TCDScheduler. */
export interface TcdConfig extends ScheduleConfig, DistilledConfig {
  readonly predictionType: PredictionType
  /** γ of the paper: 0 goes straight to the next timestep, 1 to timestep 0 and noises all the way back; in [0, 1]. */
  readonly eta: number
}

/**
 * Strategic stochastic sampling of trajectory consistency models (also TCD-LoRA and Hyper-SD): each step follows the
 * trajectory down to s = ⌊(1 − γ)·t'⌋, below the next timestep t', and noises the sample up to it. The last ends at
 * timestep 0 and draws none. At γ 0 this is DDIM without noise.
 * @throws {ConfigError} on an unknown option or value
 * Source: Trajectory Consistency Distillation, arXiv 2402.19159, algorithm 4.
 */
export const tcd: Solver<TcdConfig> = /* @__PURE__ */ solver<TcdConfig>({
  name: 'tcd',
  classNames: ['TCDScheduler'],
  fields: () => ({
    ...scheduleFields({ betaStart: 0.00085, betaEnd: 0.012, betaSchedule: 'scaled_linear' }),
    ...distilledFields(),
    predictionType: predictionField(),
    eta: numeric(0.3, 0, 1),
  }),
  setup(config, name) {
    const schedule = scheduleOf(config, 0)
    const timesteps = distilledTimesteps(name, config, schedule.trainSteps)
    const levelAt = (timestep: number): NoiseLevel => trainingLevel(schedule, timestep)
    // In float32, where reference samplers take the product: it decides the timestep that is rounded down.
    const kept = Math.fround(1 - config.eta)

    return {
      schedule,
      accepts: ['timesteps'],
      plansStrength: true,
      mostSteps: config.originalInferenceSteps,
      levelAt,
      level: (state) => levelAt(currentTimestep(state)),
      needsNoise: ({ plan, step }) => config.eta > 0 && step + 1 < plan.timesteps.length,
      plan(request) {
        const chosen = timesteps(request)
        return { timesteps: chosen, previous: chosen.map((_, i) => chosen[i + 1] ?? 0) }
      },
      step(call) {
        const { linear, state, prediction, sample } = call
        const here = levelAt(currentTimestep(state))
        const next = state.plan.previous![state.step]!
        const below = Math.floor(Math.fround(kept * next))
        const { signal, noise } = levelAt(below)
        const x0 = x0Of(call, config, here)
        // What noise leaves of the signal on the way back up from s to t'; 1 where none is drawn.
        const ratio = call.noise === undefined ? 1 : alphaBarAt(schedule, next) / alphaBarAt(schedule, below)
        const moved = combine(linear, [
          [Math.sqrt(ratio) * signal, x0],
          [Math.sqrt(ratio) * noise, predictedNoise(linear, config.predictionType, here, prediction, sample)],
          ...noiseTerm(call, Math.sqrt(1 - ratio)),
        ])
        return { sample: moved, x0 }
      },
    }
  },
})
