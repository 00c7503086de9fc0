import { required, resolve, type Fields } from '../config/index.ts'
import { refuse } from '../errors.ts'
import { combine, type Linear } from '../linear/index.ts'
import type { ModelPrediction, NoiseLevel } from '../schedule/index.ts'
import { flowPredictionField, sharesOf } from './prediction.ts'

/** What a prediction is and what it shall be. */
export interface Conversion {
  readonly from: ModelPrediction
  readonly to: ModelPrediction
}

const fields = (): Fields<Conversion> => ({ from: required(flowPredictionField()), to: required(flowPredictionField()) })

/**
 * What a model of another kind would say: with x = a·x₀ + s·ε, any two of x, x₀, ε, v and ε − x₀ give the others.
 * @param level a and s of the sample, as `scheduler.level(state)` says or {@link trainingLevel}
 * @param prediction model output for the sample, of kind `from`
 * @param sample x, on the scale of `level`; v is that of the sample brought to a² + s² = 1
 * @throws {ConfigError} on a kind that is none
 * @throws {SchedulerError} where the two do not tell x₀ and ε apart: from ε without signal, from x₀ without noise
 * Source: Salimans and Ho, arXiv 2202.00512, section 4 and appendix D.
 */
export function convertPrediction<T>(
  linear: Linear<T>,
  conversion: Conversion,
  level: NoiseLevel,
  prediction: T,
  sample: T,
): T {
  const { from, to } = resolve('convertPrediction', fields(), conversion)
  if (from === to) return prediction
  const { signal, noise } = level
  const [given, asked] = [sharesOf(from, level), sharesOf(to, level)]
  const determinant = signal * given.noise - noise * given.clean
  if (determinant === 0) {
    refuse('convertPrediction', 'signal with epsilon, noise with sample', `'${from}' at ${signal} and ${noise}`, 'leave that timestep out')
  }
  return combine(linear, [
    [(signal * asked.noise - noise * asked.clean) / determinant, prediction],
    [(asked.clean * given.noise - asked.noise * given.clean) / determinant, sample],
  ])
}
