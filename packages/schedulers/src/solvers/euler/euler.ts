import { choice, optionalNumber } from '../../config/index.ts'
import { refuseConfig } from '../../errors.ts'
import { combine } from '../../linear/index.ts'
import { linspace32 } from '../../numeric/index.ts'
import { predictionField, type PredictionType } from '../../prediction/index.ts'
import { currentSigma, nextSigma, solver, x0Of, type Solver } from '../../run/index.ts'
import { scheduleFields, type ScheduleConfig } from '../../schedule/index.ts'
import {
  checkCurves,
  churned,
  churnFields,
  churns,
  hasCurve,
  sigmaFields,
  sigmaSpace,
  type ChurnConfig,
  type SigmaConfig,
} from '../../sigmas/index.ts'
import { spacingFields, type SpacingConfig } from '../../timesteps/index.ts'

/** The options of {@link euler}, with the defaults of diffusers' EulerDiscreteScheduler. */
export interface EulerConfig extends ScheduleConfig, SpacingConfig, SigmaConfig, ChurnConfig {
  readonly predictionType: PredictionType
  /** Ends of a curve of noise levels; null for those of the spaced timesteps. */
  readonly sigmaMin: number | null
  readonly sigmaMax: number | null
  /** 'continuous' tells a v-prediction model ¼·ln σ instead of a training timestep (as SVD wants). */
  readonly timestepType: 'discrete' | 'continuous'
  /** Whether the last step ends at σ = 0 or at the table's first σ. */
  readonly finalSigmasType: 'zero' | 'sigma_min'
  /**
   * 'log_linear' spaces N + 1 levels evenly in ln σ over the whole table, whatever the timesteps, and ends at the last of
   * them. A model told continuous levels takes one step more, to where finalSigmasType says.
   */
  readonly interpolationType: 'linear' | 'log_linear'
}

/**
 * Euler's method on dx/dσ = ε, for samples x = x₀ + σ·ε: they start with the standard deviation `initNoiseSigma(plan)`
 * and reach the model times `inputScale(state)`. Steps that churn draw noise. Levels of the caller's own replace a curve.
 * @throws {ConfigError} on an unknown option or value
 * Source: Karras et al., arXiv 2206.00364, algorithm 2 without its second-order correction.
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
    interpolationType: choice('linear', ['linear', 'log_linear']),
    ...churnFields(),
  }),
  setup(config, name) {
    checkCurves(name, config)
    const { table, levels, methods } = sigmaSpace(name, config)
    if (config.interpolationType === 'log_linear' && config.sChurn > 0) {
      // Its levels are one more than its steps: diffusers divides the churn by them, so that a run has less than it says.
      refuseConfig(name, "interpolationType 'linear' for sChurn", "'log_linear'", 'leave one')
    }
    const continuous = config.timestepType === 'continuous' && config.predictionType === 'v_prediction'

    return {
      ...methods,
      accepts: continuous || hasCurve(config) ? ['sigmas'] : methods.accepts,
      needsNoise: (state) => churns(config, state),
      plan(request) {
        const logarithmic = config.interpolationType === 'log_linear' && request.by !== 'sigmas'
        const [lowest, highest] = [table[0]!, table.at(-1)!]
        // Levels that a model is told as such need no timesteps, and may lie beyond the table.
        const spaced =
          continuous && request.by === 'sigmas'
            ? { timesteps: [], sigmas: request.sigmas }
            : levels(request, {
                low: config.sigmaMin ?? (logarithmic ? lowest : null),
                high: config.sigmaMax ?? (logarithmic ? highest : null),
              })
        const count = spaced.sigmas.length
        const before =
          logarithmic && !hasCurve(config)
            ? linspace32(Math.log(highest), Math.log(lowest), count + 1).map(Math.exp)
            : spaced.sigmas
        const sigmas = Float32Array.from([...before, config.finalSigmasType === 'zero' ? 0 : lowest])
        if (!continuous) return { timesteps: spaced.timesteps, sigmas: Array.from(sigmas.subarray(0, count + 1)) }
        const told = sigmas.subarray(0, -1).map((sigma) => 0.25 * Math.fround(Math.log(sigma)))
        return { timesteps: Array.from(told), sigmas: Array.from(sigmas) }
      },
      levelAt: (t) => (continuous ? { signal: 1, noise: Math.exp(4 * t) } : methods.levelAt(t)),
      step(call) {
        const { linear, state } = call
        const { sigma, sample } = churned(call, config)
        const ratio = nextSigma(state) / sigma
        // The model was called before the churn. As in diffusers its ε is read at the level after it, and its v at its own.
        const told = config.predictionType === 'v_prediction' ? currentSigma(state) : sigma
        const x0 = x0Of({ ...call, sample }, config, { signal: 1, noise: told })
        const next = combine(linear, [
          [ratio, sample],
          [1 - ratio, x0],
        ])
        return { sample: next, x0 }
      },
    }
  },
})
