import { integer, type Fields } from '../config/index.ts'
import { refuse, refuseConfig } from '../errors.ts'
import { stepsLeft, type PlanRequest } from '../run/index.ts'
import { checkTimesteps } from './spacing.ts'

/** The option of solvers for models that were distilled on a grid of their own. */
export interface DistilledConfig {
  /** Number of evenly spaced timesteps that the model was distilled at; runs take theirs among them. */
  readonly originalInferenceSteps: number
}

/** The option of solvers for models that were distilled on a grid of their own. */
export function distilledFields(): Fields<DistilledConfig> {
  return { originalInferenceSteps: integer(50, 1) }
}

/**
 * Plans runs over k − 1, 2k − 1, …, with k = ⌊T/original⌋. A strength below 1 cuts the grid, so that a run has as many
 * steps as asked, unlike a later start in it; of timesteps that the caller chose it leaves out the first.
 * @returns timesteps in falling order
 * @throws {ConfigError} if the grid is finer than training
 */
export function distilledTimesteps(
  name: string,
  { originalInferenceSteps: original }: DistilledConfig,
  trainSteps: number,
): (request: PlanRequest) => number[] {
  if (original > trainSteps) {
    refuseConfig(name, `originalInferenceSteps up to ${trainSteps}`, String(original), 'a grid has no more than training')
  }
  const stride = Math.floor(trainSteps / original)
  return (request) => {
    if (request.by !== 'count') {
      const chosen = request.by === 'timesteps' ? request.timesteps : []
      checkTimesteps(name, chosen, trainSteps, { whole: true })
      return chosen.slice(chosen.length - stepsLeft(name, chosen.length, request.strength))
    }
    const { count, strength } = request
    const size = stepsLeft(name, original, strength)
    if (count > size) refuse(`${name}.timesteps`, `at most ${size} steps at strength ${strength}`, String(count), 'raise strength or originalInferenceSteps')
    return Array.from({ length: count }, (_, i) => (size - Math.floor(i * (size / count))) * stride - 1)
  }
}
