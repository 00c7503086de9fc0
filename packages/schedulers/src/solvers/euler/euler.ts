import { choice, optionalNumber } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import { predictionField, type PredictionType } from '../../prediction/index.ts'
import { currentSigma, nextSigma, solver, x0Of, type Solver } from '../../run/index.ts'
import { scheduleFields, type ScheduleConfig } from '../../schedule/index.ts'
import { checkCurves, sigmaFields, sigmaSpace, type SigmaConfig } from '../../sigmas/index.ts'
import { spacingFields, type SpacingConfig } from '../../timesteps/index.ts'

/** The options of {@link euler}, with the defaults of diffusers' EulerDiscreteScheduler. */
export interface EulerConfig extends ScheduleConfig, SpacingConfig, SigmaConfig {
  readonly predictionType: PredictionType
  /** Ends of a curve of noise levels; null for those of the spaced timesteps. */
  readonly sigmaMin: number | null
  readonly sigmaMax: number | null
  /** 'continuous' tells a v-prediction model ¼·ln σ instead of a training timestep (as SVD wants). */
  readonly timestepType: 'discrete' | 'continuous'
  /** Whether the last step ends at σ = 0 or at the table's first σ. */
  readonly finalSigmasType: 'zero' | 'sigma_min'
  readonly interpolationType: 'linear'
}

/**
 * Euler's method on dx/dσ = ε, for samples x = x₀ + σ·ε: they start with the standard deviation `initNoiseSigma(plan)`
 * and reach the model times `inputScale(state)`.
 * @throws {ConfigError} on an unknown option or value
 * Source: Karras et al., arXiv 2206.00364, algorithm 1.
 */
export const euler: Solver<EulerConfig> = /* @__PURE__ */ solver<EulerConfig>({
  name: 'euler',
  classNames: ['EulerDiscreteScheduler'],
  fields: () => ({
    ...scheduleFields(),
    ...spacingFields('linspace'),
    ...sigmaFields(),
    predictionType: predictionField(),
    sigmaMin: optionalNumber(),
    sigmaMax: optionalNumber(),
    timestepType: choice('discrete', ['discrete', 'continuous']),
    finalSigmasType: choice('zero', ['zero', 'sigma_min']),
    interpolationType: choice('linear', ['linear']),
  }),
  setup(config, name) {
    checkCurves(name, config)
    const { table, levels, methods } = sigmaSpace(name, config)
    const continuous = config.timestepType === 'continuous' && config.predictionType === 'v_prediction'

    return {
      ...methods,
      accepts: continuous ? [] : methods.accepts,
      plan(request) {
        const spaced = levels(request, { low: config.sigmaMin, high: config.sigmaMax })
        const sigmas = Float32Array.from([...spaced.sigmas, config.finalSigmasType === 'zero' ? 0 : table[0]!])
        const told = continuous
          ? Array.from(sigmas.subarray(0, -1), (sigma) => Math.fround(0.25 * Math.fround(Math.log(sigma))))
          : spaced.timesteps
        return { timesteps: told, sigmas: Array.from(sigmas) }
      },
      levelAt: (t) => (continuous ? { signal: 1, noise: Math.exp(4 * t) } : methods.levelAt(t)),
      step(call) {
        const { linear, state, sample } = call
        const sigma = currentSigma(state)
        const ratio = nextSigma(state) / sigma
        const x0 = x0Of(call, config, { signal: 1, noise: sigma })
        const next = combine(linear, [
          [ratio, sample],
          [1 - ratio, x0],
        ])
        return { sample: next, x0 }
      },
    }
  },
})
