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
