import { refuse } from '../errors.ts'
import { choice, flag, numeric, type Field, type Fields } from '../config/index.ts'
import { combine, type Linear } from '../linear/index.ts'
import type { ModelPrediction, NoiseLevel, PredictionType } from '../schedule/index.ts'

/** Places where a caller may change what a step works with. */
export interface StepHooks<T> {
  /** Replaces the predicted clean sample, for example {@link dynamicThreshold}; the step goes on from its result. */
  readonly x0?: (x0: T) => T
}

/** The prediction type of models of ε, v or x₀. */
export function predictionField(): Field<PredictionType> {
  return choice('epsilon', ['epsilon', 'v_prediction', 'sample'])
}

/** The prediction type where flow models run too. */
export function flowPredictionField(): Field<ModelPrediction> {
  return choice('epsilon', ['epsilon', 'v_prediction', 'sample', 'flow_prediction'])
}

/** The options of dynamic thresholding (Imagen, arXiv 2205.11487, section 2.3). */
export interface ThresholdConfig {
  /** Whether x₀ must be thresholded: the caller then passes {@link dynamicThreshold} as the x₀ hook. */
  readonly thresholding: boolean
  /** Quantile of |x₀| that becomes the threshold, in [0, 1]. */
  readonly dynamicThresholdingRatio: number
  /** Largest threshold. */
  readonly sampleMaxValue: number
}

/** The options of dynamic thresholding. */
export function thresholdFields(): Fields<ThresholdConfig> {
  return {
    thresholding: flag(false),
    dynamicThresholdingRatio: numeric(0.995, 0, 1),
    sampleMaxValue: numeric(1, 1e-6),
  }
}

/**
 * x₀ from a prediction, clipped and hooked as configured.
 * @param clip what clips x₀, see {@link clipTo}; thresholding replaces it
 */
export function cleanSample<T>(
  linear: Linear<T>,
  config: { readonly predictionType: ModelPrediction; readonly thresholding?: boolean },
  level: NoiseLevel,
  prediction: T,
  sample: T,
  hooks: StepHooks<T> | undefined,
  clip?: (x0: T) => T,
): T {
  const thresholds = config.thresholding === true
  if (thresholds && hooks?.x0 === undefined) {
    refuse('step', 'hooks.x0 for thresholding', 'none', 'pass dynamicThreshold(config, batch)')
  }
  const predicted = predictedClean(linear, config.predictionType, level, prediction, sample)
  const clipped = clip === undefined || thresholds ? predicted : clip(predicted)
  return hooks?.x0?.(clipped) ?? clipped
}

/** ε = (x − signal·x₀)/noise: the noise that agrees with a clean sample. */
export function impliedNoise<T>(linear: Linear<T>, level: NoiseLevel, x0: T, sample: T): T {
  return combine(linear, [
    [1 / level.noise, sample],
    [-level.signal / level.noise, x0],
  ])
}

/** Shares of x₀ and ε in what a model predicts; a velocity belongs to the sample scaled to signal² + noise² = 1. */
export function sharesOf(type: ModelPrediction, { signal, noise }: NoiseLevel): { clean: number; noise: number } {
  const size = Math.hypot(signal, noise)
  switch (type) {
    case 'epsilon':
      return { clean: 0, noise: 1 }
    case 'sample':
      return { clean: 1, noise: 0 }
    case 'v_prediction':
      return { clean: -noise / size, noise: signal / size }
    case 'flow_prediction':
      return { clean: -1, noise: 1 }
    default:
      return type satisfies never
  }
}

// With x = a·x₀ + s·ε and the prediction p·x₀ + q·ε, both follow from two equations with the determinant a·q − s·p.

/** x₀ from a prediction, before any clipping. */
function predictedClean<T>(
  linear: Linear<T>,
  type: ModelPrediction,
  level: NoiseLevel,
  prediction: T,
  sample: T,
): T {
  if (type === 'sample') return prediction
  const { clean, noise } = sharesOf(type, level)
  const determinant = level.signal * noise - level.noise * clean
  if (determinant === 0) {
    refuse('step', 'a model of v or x0 where no signal is left', `one of '${type}'`, 'leave that timestep out')
  }
  return combine(linear, [
    [noise / determinant, sample],
    [-level.noise / determinant, prediction],
  ])
}

/** ε from a prediction, before any clipping. */
export function predictedNoise<T>(
  linear: Linear<T>,
  type: ModelPrediction,
  level: NoiseLevel,
  prediction: T,
  sample: T,
): T {
  if (type === 'epsilon') return prediction
  const { clean, noise } = sharesOf(type, level)
  const determinant = level.signal * noise - level.noise * clean
  return combine(linear, [
    [level.signal / determinant, prediction],
    [-clean / determinant, sample],
  ])
}
