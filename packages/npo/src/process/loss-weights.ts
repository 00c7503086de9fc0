import { minSnrWeight, type ModelPrediction, type NoiseLevel } from '@antipode/schedulers'

/** What a sample's squared error counts for at a noise level, 0 or more, given what the model predicts. */
export type LossWeight = (level: NoiseLevel, predictionType: ModelPrediction) => number

/**
 * Weights by which the error of x₀ counts as much as its signal-to-noise ratio, but no more than γ.
 * @param gamma above 0, finite; 5 by default, as the paper advises
 * Source: Hang et al. 2023, arXiv 2303.09556, section 3.4; see `minSnrWeight` of @antipode/schedulers.
 */
export function minSnr(gamma = 5): LossWeight {
  return (level, predictionType) => minSnrWeight(level, { predictionType, gamma })
}

/**
 * Weights σ(b − ln snr): those of levels with much noise, that of an equal share being σ(b).
 * @param bias b, finite; 1 by default
 * Sources: Kingma and Gao 2023, arXiv 2303.00848, section 5; CaPO, arXiv 2502.02588.
 */
export function sigmoidSnr(bias = 1): LossWeight {
  return ({ signal, noise }) => 1 / (1 + Math.exp(-bias) * (signal / noise) ** 2)
}
