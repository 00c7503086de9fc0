import type { Tensor } from '@antipode/core'
import type { Transitions } from '../../../transitions/index.ts'
import { type Leaves, shape } from '../../testing/oracle.ts'
import golden from './transitions.golden.json' with { type: 'json' }

export const cases: typeof golden.cases = golden.cases
export const fixtures: typeof golden.fixtures = golden.fixtures

/** a, b and s of a step, by the formulas of its paper in float64. */
export interface StepByHand {
  readonly carried: readonly number[]
  readonly predicted: readonly number[]
  readonly deviation: readonly number[]
  readonly elapsed?: readonly number[]
}

/** DDIM with η = 1 (Song et al. 2020, eq. 12 and 16), from ᾱ to ᾱ'. */
export function ddimByHand(from: readonly number[], to: readonly number[]): StepByHand {
  const steps = from.map((a, i) => {
    const next = to[i]!
    const variance = ((1 - next) / (1 - a)) * (1 - a / next)
    const carried = Math.sqrt(next / a)
    return { carried, predicted: Math.sqrt(1 - next - variance) - carried * Math.sqrt(1 - a), deviation: Math.sqrt(variance) }
  })
  return {
    carried: steps.map((s) => s.carried), predicted: steps.map((s) => s.predicted), deviation: steps.map((s) => s.deviation),
  }
}

/** A step of a flow with diffusion g (Flow-GRPO, eq. 9). */
function flowByHand(sigmas: readonly number[], at: readonly number[], g: (sigma: number) => number): StepByHand {
  const steps = at.map((i) => {
    const [sigma, next] = [sigmas[i]!, sigmas[i + 1]!]
    const [d, drift] = [next - sigma, (g(sigma) ** 2 / (2 * sigma)) * (next - sigma)]
    return { carried: 1 + drift, predicted: d + drift * (1 - sigma), deviation: g(sigma) * Math.sqrt(-d), elapsed: -d }
  })
  return {
    carried: steps.map((s) => s.carried), predicted: steps.map((s) => s.predicted),
    deviation: steps.map((s) => s.deviation), elapsed: steps.map((s) => s.elapsed),
  }
}

/** Steps of three samples. */
export function stepsOf(leaves: Leaves, by: StepByHand, sample: Tensor, next: readonly number[]): Transitions {
  const column = (values: readonly number[]): Tensor => leaves.of(values, [3, 1, 1, 1])
  return {
    sample, next: leaves.of(next, shape), timesteps: leaves.of([1, 2, 3], [3]), input: column([1, 1, 1]),
    carried: column(by.carried), predicted: column(by.predicted), deviation: column(by.deviation),
    elapsed: column(by.elapsed ?? [1, 1, 1]),
  }
}

/** The flow fixture's steps: Flow-GRPO's with noise level 0.7, DanceGRPO's with 0.3 throughout. */
export function flowSteps(rule: 'flow-grpo' | 'dance-grpo'): StepByHand {
  const { sigmas, step_index: at } = fixtures.flow
  const growing = (sigma: number): number => 0.7 * Math.sqrt(sigma / (1 - (sigma === 1 ? sigmas[1]! : sigma)))
  return flowByHand(sigmas, at, rule === 'flow-grpo' ? growing : () => 0.3)
}
