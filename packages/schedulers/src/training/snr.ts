import { positive, required, resolve, type Fields } from '../config/index.ts'
import { flowPredictionField, sharesOf, type ModelPrediction } from '../prediction/index.ts'
import type { NoiseLevel } from '../schedule/index.ts'

/** Options of {@link minSnrWeight}. */
export interface MinSnrOptions {
  /** What the model predicts, and the loss compares. */
  readonly predictionType: ModelPrediction
  /** Signal-to-noise ratio above which weights stop growing, above 0; 5 by default, as the paper advises. */
  readonly gamma?: number
}

const fields = (): Fields<Required<MinSnrOptions>> => ({ predictionType: required(flowPredictionField()), gamma: positive(5) })

/** Signal-to-noise ratio a²/s² of a level x = a·x₀ + s·ε: ∞ without noise, 0 without signal. */
export function snr({ signal, noise }: NoiseLevel): number {
  return (signal / noise) ** 2
}

/**
 * Weight of the squared error of a prediction at a level, so that the error of x₀ weighs min(SNR, γ): min(SNR, γ)/SNR for
 * ε, min(SNR, γ)/(SNR + 1) for v, min(SNR, γ) for x₀, and min(SNR, γ)·(s/(a + s))² for ε − x₀ of a flow.
 * @param level {@link trainingLevel} of the batch item's timestep, or (1 − σ, σ) of a flow
 * @throws {ConfigError} on an unknown option or value, or a prediction type that is not said
 * Source: Hang et al., "Efficient diffusion training via min-SNR weighting strategy", arXiv 2303.09556, section 3.4.
 */
export function minSnrWeight(level: NoiseLevel, options: MinSnrOptions): number {
  const { predictionType, gamma } = resolve('minSnrWeight', fields(), options)
  const { signal, noise } = level
  const shares = sharesOf(predictionType, level)
  // An error e of the prediction makes one of e·s/(a·q − s·p) of x₀, where the prediction is p·x₀ + q·ε.
  const determinant = signal * shares.noise - noise * shares.clean
  // min(SNR, γ)·(s/determinant)², with s² taken into the minimum so that a level without noise has its limit.
  return Math.min(signal ** 2, gamma * noise ** 2) / determinant ** 2
}
