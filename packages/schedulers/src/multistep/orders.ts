import type { SamplingPlan } from '../run/index.ts'

/** The options that the orders of DPM-Solver's steps follow from. */
export interface OrderConfig {
  /** 1, 2 or 3; 'sde-dpmsolver' has 1 and 2. */
  readonly solverOrder: number
  /** Lowers the order of the last two steps where there are fewer than 15. */
  readonly lowerOrderFinal: boolean
  /** Makes the last step first order at any number of steps. */
  readonly eulerAtFinal: boolean
  /** Whether the last step ends at σ = 0 ('++' only) or at the table's first σ. */
  readonly finalSigmasType: 'zero' | 'sigma_min'
}

/**
 * σ at the end of the step and at the starts that its update looks back on, newest first; null where the step has no
 * length (two equal levels, as with more steps than timesteps) and so changes nothing.
 * @param outputs number of model outputs at hand, this step's among them
 */
export function sigmasOfUpdate(
  config: OrderConfig,
  plan: SamplingPlan,
  step: number,
  outputs: number,
): number[] | null {
  const left = plan.timesteps.length - step
  const few = config.lowerOrderFinal && plan.timesteps.length < 15
  const final = left === 1 && (few || config.eulerAtFinal || config.finalSigmasType === 'zero')
  const order = Math.min(outputs, config.solverOrder, final ? 1 : left === 2 && few ? 2 : 3)
  const sigmas = plan.sigmas!.slice(step + 1 - order, step + 2).toReversed()
  if (sigmas[0] === sigmas[1]) return null
  // A divided difference over no length is undefined: look back only as far as levels differ.
  const equal = sigmas.findIndex((sigma, i) => i > 0 && sigma === sigmas[i - 1])
  return equal < 0 ? sigmas : sigmas.slice(0, equal)
}
