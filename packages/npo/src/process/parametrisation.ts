import { ConfigError, type Tensor } from '@antipode/core'
import type { ModelPrediction } from '@antipode/schedulers'

/**
 * How much of a noised sample is clean data and how much noise, x_t = α·x₀ + σ·ε: each `[B, 1, …]`, or what broadcasts
 * with the sample.
 */
export interface NoiseLevels {
  /** √ᾱ of a diffusion, 1 − σ of a flow. */
  readonly alpha: Tensor
  /** √(1−ᾱ) of a diffusion. */
  readonly sigma: Tensor
}

/** What a prediction is of. */
export interface PredictedLevels extends NoiseLevels {
  /**
   * What the model learns to predict; it has no default, since a model that learns something else is ruined without a
   * word.
   */
  readonly predictionType: ModelPrediction
}

/** What a training batch is noised by, and what the model is to predict of it. */
export interface NoiseDraw extends PredictedLevels {
  /** What the model is told, `[B]` f32. */
  readonly timesteps: Tensor
  /** Unit normal, like the samples. */
  readonly noise: Tensor
  /** Weights of the samples' squared errors, `[B]` f32; 1 where there are none. */
  readonly weights?: Tensor
}

/** The formulas of one kind of model, in f32. */
interface Parametrisation {
  /** What the model learns to predict. */
  target(clean: Tensor, noise: Tensor, levels: NoiseLevels): Tensor
  /** x₀ that a prediction implies of the sample x_t. */
  clean(prediction: Tensor, sample: Tensor, levels: NoiseLevels): Tensor
  /** ε that it implies. */
  noise(prediction: Tensor, sample: Tensor, levels: NoiseLevels): Tensor
}

/** Velocities take the levels of their own process: α² + σ² = 1 for v of a diffusion, α + σ = 1 for that of a flow. */
const parametrisations: Readonly<Record<ModelPrediction, Parametrisation>> = {
  // Ho et al. 2020, arXiv 2006.11239, eq. 14
  epsilon: {
    target: (_clean, noise) => noise,
    clean: (epsilon, x, { alpha, sigma }) => x.sub(epsilon.mul(sigma)).div(alpha),
    noise: (epsilon) => epsilon,
  },
  // Salimans and Ho 2022, arXiv 2202.00512, section 4
  v_prediction: {
    target: (clean, noise, { alpha, sigma }) => noise.mul(alpha).sub(clean.mul(sigma)),
    clean: (v, x, { alpha, sigma }) => x.mul(alpha).sub(v.mul(sigma)),
    noise: (v, x, { alpha, sigma }) => v.mul(alpha).add(x.mul(sigma)),
  },
  sample: {
    target: (clean) => clean,
    clean: (clean) => clean,
    noise: (clean, x, { alpha, sigma }) => x.sub(clean.mul(alpha)).div(sigma),
  },
  // Liu et al. 2022, arXiv 2209.03003, eq. 1, with time running towards the noise
  flow_prediction: {
    target: (clean, noise) => noise.sub(clean),
    clean: (velocity, x, { sigma }) => x.sub(velocity.mul(sigma)),
    noise: (velocity, x, { alpha }) => x.add(velocity.mul(alpha)),
  },
}

/**
 * The noised sample x_t of clean ones, computed in f32 and rounded once to their dtype, in which the model takes it.
 */
export function noised(clean: Tensor, draw: NoiseDraw): Tensor {
  const { alpha, sigma } = inF32(draw)
  return clean.to('f32').mul(alpha).add(draw.noise.to('f32').mul(sigma)).to(clean.dtype)
}

/**
 * What the model learns to predict from the noised sample, f32: ε, v = α·ε − σ·x₀, x₀ or, of a flow, ε − x₀.
 * @throws {ConfigError} unless the draw says which
 */
export function targetOf(where: string, clean: Tensor, draw: NoiseDraw): Tensor {
  return parametrisation(where, draw).target(clean.to('f32'), draw.noise.to('f32'), inF32(draw))
}

/**
 * The clean sample x₀ that a prediction implies, f32: without bound where the level has no signal and the model
 * predicts ε.
 * @param sample x_t, what the model was given
 * @throws {ConfigError} unless the draw says what is predicted
 */
export function predictedClean(prediction: Tensor, sample: Tensor, draw: PredictedLevels): Tensor {
  return parametrisation('predictedClean', draw).clean(prediction.to('f32'), sample.to('f32'), inF32(draw))
}

/**
 * The noise ε that a prediction implies, f32: without bound where the level has no noise and the model predicts x₀.
 * @param sample x_t, what the model was given
 * @throws {ConfigError} unless the draw says what is predicted
 */
export function predictedNoise(prediction: Tensor, sample: Tensor, draw: PredictedLevels): Tensor {
  return parametrisation('predictedNoise', draw).noise(prediction.to('f32'), sample.to('f32'), inF32(draw))
}

function parametrisation(where: string, { predictionType }: Pick<PredictedLevels, 'predictionType'>): Parametrisation {
  if (Object.hasOwn(parametrisations, String(predictionType))) return parametrisations[predictionType]
  const known = Object.keys(parametrisations).map((type) => `'${type}'`).join(', ')
  throw new ConfigError(
    `${where}: expected predictionType to be one of ${known}, got ${String(predictionType)}; ` +
      "draw noise by drawNoise from the process of the model's training",
  )
}

function inF32({ alpha, sigma }: NoiseLevels): NoiseLevels {
  return { alpha: alpha.to('f32'), sigma: sigma.to('f32') }
}
