import { integer, numeric } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import { linspace } from '../../numeric/index.ts'
import { predictedNoise } from '../../prediction/index.ts'
import { currentTimestep, noiseTerm, solver, x0Of, type Solver } from '../../run/index.ts'
import { alphaBarAt, mostTimesteps, scheduleFields, scheduleOf, type NoiseLevel, type Schedule, type ScheduleConfig } from '../../schedule/index.ts'
import { checkTimesteps } from '../../timesteps/index.ts'

/** The options of {@link videoCrafterDdim}, with the values of VideoCrafter2's 512 model. */
export interface VideoCrafterDdimConfig extends Pick<ScheduleConfig, 'numTrainTimesteps' | 'betaStart' | 'betaEnd'> {
  /** Noise of a step: 0 none, 1 that of DDPM; in [0, 1]. */
  readonly eta: number
  /** Scale that the clean latent sinks to, in (0, 1]; 1 for models without the rescale. */
  readonly baseScale: number
  /** Number of timesteps over which it sinks there from 1. */
  readonly turningStep: number
}

/**
 * DDIM for VideoCrafter2, whose noising also shrinks the clean latent: x_t = √ᾱ_t·s_t·x₀ + √(1−ᾱ_t)·ε, where s_t falls
 * linearly from 1 to `baseScale` and stays there. Models predict ε.
 *
 * Its own differences from {@link ddim} are those of the lvdm sampler: √β is spaced and ᾱ multiplied up in float64; a run
 * of N steps takes every ⌊T/N⌋-th timestep from 1, so that it has more than N where N does not divide T; each step ends
 * at the timestep before, and the last at timestep 0.
 * @throws {ConfigError} on an unknown option or value
 * Sources: AILab-CVC/VideoCrafter@ea6037f, lvdm/models/samplers/ddim.py and ddpm3d.py; DDIM, arXiv 2010.02502, equation 12.
 */
export const videoCrafterDdim: Solver<VideoCrafterDdimConfig> = /* @__PURE__ */ solver<VideoCrafterDdimConfig>({
  name: 'videoCrafterDdim',
  classNames: [],
  fields: () => {
    const { numTrainTimesteps, betaStart, betaEnd } = scheduleFields({ betaStart: 0.00085, betaEnd: 0.012 })
    return {
      numTrainTimesteps,
      betaStart,
      betaEnd,
      eta: numeric(1, 0, 1),
      baseScale: numeric(0.7, 1e-6, 1),
      turningStep: integer(400, 1, mostTimesteps),
    }
  },
  setup(config, name) {
    const schedule = float64Schedule(config)
    const sinking = linspace(1, config.baseScale, config.turningStep)
    const levelAt = (timestep: number): NoiseLevel => {
      const alphaBar = alphaBarAt(schedule, timestep)
      const scale = Math.fround(sinking[timestep] ?? config.baseScale)
      return { signal: Math.sqrt(alphaBar) * scale, noise: Math.sqrt(1 - alphaBar) }
    }

    return {
      schedule,
      accepts: ['timesteps'],
      levelAt,
      level: (state) => levelAt(currentTimestep(state)),
      needsNoise: () => config.eta > 0,
      plan(request) {
        const stride = request.by === 'count' ? Math.floor(schedule.trainSteps / request.count) : 1
        const every = Array.from({ length: Math.ceil((schedule.trainSteps - 1) / stride) }, (_, i) => i * stride + 1).reverse()
        const chosen = request.by === 'timesteps' ? [...request.timesteps] : every
        checkTimesteps(name, chosen, schedule.trainSteps, { whole: true })
        return { timesteps: chosen, previous: [...chosen.slice(1), 0] }
      },
      step(call) {
        const { linear, state, prediction, sample } = call
        const timestep = currentTimestep(state)
        const target = state.plan.previous![state.step]!
        const [here, next] = [levelAt(timestep), levelAt(target)]
        const [alphaBar, alphaBarNext] = [alphaBarAt(schedule, timestep), alphaBarAt(schedule, target)]
        const variance = config.eta ** 2 * ((1 - alphaBarNext) / (1 - alphaBar)) * (1 - alphaBar / alphaBarNext)
        // The level holds the scale, so this x₀ is free of it.
        const x0 = x0Of(call, { predictionType: 'epsilon' }, here)
        const moved = combine(linear, [
          [next.signal, x0],
          // Rounding can bring the difference below zero where the step's noise takes all of it.
          [Math.sqrt(Math.max(1 - alphaBarNext - variance, 0)), predictedNoise(linear, 'epsilon', here, prediction, sample)],
          ...noiseTerm(call, Math.sqrt(variance)),
        ])
        return { sample: moved, x0 }
      },
    }
  },
})

/** Tables of √β spaced in float64, rounded to float32 once: at T = 1000 those of float32 β differ in the sixth digit. */
function float64Schedule({ numTrainTimesteps, betaStart, betaEnd, baseScale }: VideoCrafterDdimConfig): Schedule {
  const betas = linspace(Math.sqrt(betaStart), Math.sqrt(betaEnd), numTrainTimesteps).map((root) => root * root)
  const trained = { numTrainTimesteps, betaStart, betaEnd, betaSchedule: 'scaled_linear', trainedBetas: null } as const
  let product = 1
  const alphasCumprod = Float32Array.from(betas, (beta) => (product *= 1 - beta))
  const process = baseScale === 1 ? {} : { otherProcess: 'x = √ᾱ·s·x₀ + √(1−ᾱ)·ε with s < 1' }
  return Object.freeze({ ...scheduleOf({ ...trained, rescaleBetasZeroSnr: false }, 0), ...process, betas: Float32Array.from(betas), alphasCumprod })
}
