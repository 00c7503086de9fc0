import { impliedNoise, predictedNoise, type ModelPrediction } from '../prediction/index.ts'
import type { StepCall } from '../run/index.ts'
import type { NoiseLevel } from '../schedule/index.ts'

/** What a solver integrates: x₀ ('data'), or the ε that agrees with it, which a hook on x₀ changes too. */
export function integrated<T>(
  { linear, prediction, sample, hooks }: StepCall<T>,
  type: ModelPrediction,
  level: NoiseLevel,
  x0: T,
  onData: boolean,
): T {
  if (onData) return x0
  return hooks?.x0 === undefined
    ? predictedNoise(linear, type, level, prediction, sample)
    : impliedNoise(linear, level, x0, sample)
}
