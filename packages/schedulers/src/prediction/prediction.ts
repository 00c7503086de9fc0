import { SchedulerError } from '../errors.ts'
import { choice, flag, numeric, type Field, type Fields } from '../config/index.ts'
import { combine, type Linear, type Term } from '../linear/index.ts'
import type { NoiseLevel } from '../schedule/index.ts'

/**
 * What the model predicts: the noise ε, the velocity v = √ᾱ·ε − √(1−ᾱ)·x₀ (arXiv 2202.00512), or x₀ itself.
 * Flow models, which predict ε − x₀, are {@link ModelPrediction}.
 */
export type PredictionType = 'epsilon' | 'v_prediction' | 'sample'

/** Every prediction that some solver here understands. */
export type ModelPrediction = PredictionType | 'flow_prediction'

/** Places where a caller may change what a step works with. */
export interface StepHooks<T> {
  /** Replaces the predicted clean sample, for example {@link dynamicThreshold}; the step goes on from its result. */
  readonly x0?: (x0: T) => T
}

/** The prediction type of models of ε, v or x₀. */
export function predictionField(): Field<PredictionType> {
  return choice('prediction_type', 'epsilon', ['epsilon', 'v_prediction', 'sample'])
}

/** The prediction type where flow models run too. */
export function flowPredictionField(): Field<ModelPrediction> {
  return choice('prediction_type', 'epsilon', ['epsilon', 'v_prediction', 'sample', 'flow_prediction'])
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

/** The options of clipping x₀. */
export interface ClipConfig {
  /** Whether x₀ is clipped to ±clipSampleRange; thresholding goes before it. */
  readonly clipSample: boolean
  readonly clipSampleRange: number
}

/** The options of dynamic thresholding. */
export function thresholdFields(): Fields<ThresholdConfig> {
  return {
    thresholding: flag('thresholding', false),
    dynamicThresholdingRatio: numeric('dynamic_thresholding_ratio', 0.995, 0, 1),
    sampleMaxValue: numeric('sample_max_value', 1, 1e-6),
  }
}

/** The options of clipping x₀. */
export function clipFields(clipSample: boolean): Fields<ClipConfig> {
  return {
    clipSample: flag('clip_sample', clipSample),
    clipSampleRange: numeric('clip_sample_range', 1, 1e-6),
  }
}

/** x₀ from a prediction, clipped and hooked as configured. */
export function cleanSample<T>(
  linear: Linear<T>,
  config: { readonly predictionType: ModelPrediction } & Partial<ClipConfig & ThresholdConfig>,
  level: NoiseLevel,
  prediction: T,
  sample: T,
  hooks: StepHooks<T> | undefined,
): T {
  const { predictionType: type, thresholding, clipSample, clipSampleRange = 1 } = config
  if (thresholding === true && hooks?.x0 === undefined) {
    throw new SchedulerError(
      'step: expected hooks.x0, since this configuration has thresholding on, got none; ' +
        'pass dynamicThreshold(config, batch)',
    )
  }
  const predicted = type === 'sample' ? prediction : combine(linear, x0Terms(type, level, prediction, sample))
  const clips = clipSample === true && thresholding !== true
  const clipped = clips ? clamp(linear, predicted, clipSampleRange) : predicted
  return hooks?.x0?.(clipped) ?? clipped
}

/** ε = (x − signal·x₀)/noise: the noise that agrees with a clean sample. */
export function impliedNoise<T>(linear: Linear<T>, level: NoiseLevel, x0: T, sample: T): T {
  return combine(linear, [
    [1 / level.noise, sample],
    [-level.signal / level.noise, x0],
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
  switch (type) {
    case 'epsilon':
      return prediction
    case 'sample':
      return impliedNoise(linear, level, prediction, sample)
    case 'v_prediction': {
      const size = Math.hypot(level.signal, level.noise)
      return combine(linear, [
        [level.signal / size, prediction],
        [level.noise / size ** 2, sample],
      ])
    }
    case 'flow_prediction':
      return combine(linear, [
        [1, sample],
        [level.signal, prediction],
      ])
    default:
      return type satisfies never
  }
}

/**
 * The terms of x₀ for x = a·x₀ + s·ε. A velocity belongs to the same sample scaled to a² + s² = 1, which is what the
 * division by the size does for solvers that keep a = 1.
 */
function x0Terms<T>(
  type: Exclude<ModelPrediction, 'sample'>,
  { signal, noise }: NoiseLevel,
  prediction: T,
  sample: T,
): Term<T>[] {
  switch (type) {
    case 'epsilon':
      if (signal === 0) {
        throw new SchedulerError(
          "step: expected a model of v or x₀ where no signal is left, got predictionType 'epsilon'; " +
            'x₀ cannot follow from the noise there, so leave that timestep out or use another model',
        )
      }
      return [
        [1 / signal, sample],
        [-noise / signal, prediction],
      ]
    case 'v_prediction': {
      const size = Math.hypot(signal, noise)
      return [
        [signal / size ** 2, sample],
        [-noise / size, prediction],
      ]
    }
    case 'flow_prediction':
      return [
        [1, sample],
        [-noise, prediction],
      ]
    default:
      return type satisfies never
  }
}

function clamp<T>(linear: Linear<T>, value: T, range: number): T {
  if (linear.clamp !== undefined) return linear.clamp(value, -range, range)
  throw new SchedulerError(
    'step: expected linear.clamp, since this configuration has clipSample on, got none; ' +
      'add it to the adapter or set clipSample: false',
  )
}
