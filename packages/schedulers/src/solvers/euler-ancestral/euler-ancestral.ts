import { combine } from '../../linear/index.ts'
import { predictionField, type PredictionType } from '../../prediction/index.ts'
import { currentSigma, nextSigma, noiseTerm, solver, x0Of, type Solver } from '../../run/index.ts'
import { scheduleFields, type ScheduleConfig } from '../../schedule/index.ts'
import { sigmaSpace } from '../../sigmas/index.ts'
import { spacingFields, type SpacingConfig } from '../../timesteps/index.ts'

/** The options of {@link eulerAncestral}, with the defaults of diffusers' EulerAncestralDiscreteScheduler. */
export interface EulerAncestralConfig extends ScheduleConfig, SpacingConfig {
  readonly predictionType: PredictionType
}

/**
 * Euler's method on dx/dσ = ε to a level below the next one, and fresh noise for the rest: together the variance of one
 * step of DDPM's chain, for samples x = x₀ + σ·ε. Every step draws noise, the last one none of effect.
 * @throws {ConfigError} on an unknown option or value
 * Source: DDPM's posterior (arXiv 2006.11239, equation 7) in the σ of Karras et al. (arXiv 2206.00364).
 */
export const eulerAncestral: Solver<EulerAncestralConfig> = /* @__PURE__ */ solver<EulerAncestralConfig>({
  name: 'eulerAncestral',
  classNames: ['EulerAncestralDiscreteScheduler'],
  fields: () => ({
    ...scheduleFields(),
    ...spacingFields('linspace'),
    predictionType: predictionField(),
  }),
  setup(config, name) {
    const { levels, methods } = sigmaSpace(name, config)

    return {
      ...methods,
      needsNoise: () => true,
      plan(request) {
        const { timesteps, sigmas } = levels(request)
        return { timesteps, sigmas: Array.from(Float32Array.from([...sigmas, 0])) }
      },
      step(call) {
        const { linear, state, sample } = call
        const sigma = currentSigma(state)
        const next = nextSigma(state)
        const x0 = x0Of(call, config, { signal: 1, noise: sigma })
        // Down to σ'²/σ, so that what is left of the old noise and the new add up to σ'².
        const kept = (next / sigma) ** 2
        const moved = combine(linear, [
          [kept, sample],
          [1 - kept, x0],
          ...noiseTerm(call, next * Math.sqrt(1 - kept)),
        ])
        return { sample: moved, x0 }
      },
    }
  },
})
