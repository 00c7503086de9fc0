import { numeric } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import {
  clipFields,
  clipTo,
  predictionField,
  thresholdFields,
  type ClipConfig,
  type PredictionType,
  type ThresholdConfig,
} from '../../prediction/index.ts'
import { currentTimestep, noiseTerm, solver, x0Of, type Solver } from '../../run/index.ts'
import { scheduleFields, scheduleOf, trainingLevel, type NoiseLevel, type ScheduleConfig } from '../../schedule/index.ts'
import { distilledFields, distilledTimesteps, type DistilledConfig } from '../../timesteps/index.ts'

/** The options of {@link lcm}, with the defaults of diffusers' LCMScheduler. */
export interface LcmConfig extends ScheduleConfig, ClipConfig, ThresholdConfig, DistilledConfig {
  readonly predictionType: PredictionType
  /** Factor of the timestep in the boundary condition: the larger, the closer to t = 0 the model's own x₀ counts. */
  readonly timestepScaling: number
}

/** Standard deviation of the data in the boundary condition, which all such models share. */
const sigmaData = 0.5

/**
 * Multistep sampling of latent consistency models (also LCM-LoRA): each step jumps to a clean sample
 * f(x, t) = c_skip·x + c_out·x₀ and noises it anew to the next timestep; the last gives it as it is. 1 to 8 steps.
 *
 * The clean sample that a step returns is f. The hook and the clipping act on x₀ within it.
 * @throws {ConfigError} on an unknown option or value
 * Source: Latent Consistency Models, arXiv 2310.04378, algorithm 3 and appendix B.
 */
export const lcm: Solver<LcmConfig> = /* @__PURE__ */ solver<LcmConfig>({
  name: 'lcm',
  classNames: ['LCMScheduler'],
  fields: () => ({
    ...scheduleFields({ betaStart: 0.00085, betaEnd: 0.012, betaSchedule: 'scaled_linear' }),
    ...clipFields(false),
    ...thresholdFields(),
    ...distilledFields(),
    predictionType: predictionField(),
    timestepScaling: numeric(10, 0),
  }),
  setup(config, name) {
    const schedule = scheduleOf(config, 0)
    const timesteps = distilledTimesteps(name, config, schedule.trainSteps)
    const levelAt = (timestep: number): NoiseLevel => {
      // In float32 like the tables: a first jump from almost pure noise leaves a 300th of the sample, and so shows the
      // last digit of the share of noise that reference samplers take off.
      const { signal, noise } = trainingLevel(schedule, timestep)
      return { signal: Math.fround(signal), noise: Math.fround(noise) }
    }

    return {
      schedule,
      accepts: ['timesteps'],
      plansStrength: true,
      mostSteps: config.originalInferenceSteps,
      levelAt,
      level: (state) => levelAt(currentTimestep(state)),
      needsNoise: ({ plan, step }) => step + 1 < plan.timesteps.length,
      plan: (request) => ({ timesteps: timesteps(request) }),
      step(call) {
        const { linear, state, sample } = call
        const timestep = currentTimestep(state)
        const x0 = x0Of(call, config, levelAt(timestep), clipTo(linear, config))
        const scaled = timestep * config.timestepScaling
        const size = Math.hypot(scaled, sigmaData)
        const clean = combine(linear, [
          [scaled / size, x0],
          [(sigmaData / size) ** 2, sample],
        ])
        const next = state.plan.timesteps[state.step + 1]
        if (next === undefined) return { sample: clean, x0: clean }
        const level = levelAt(next)
        return { sample: combine(linear, [[level.signal, clean], ...noiseTerm(call, level.noise)]), x0: clean }
      },
    }
  },
})
