import { numeric, type Fields } from '../config/index.ts'
import { combine } from '../linear/index.ts'
import { currentSigma, noiseTerm, type SchedulerState, type StepCall } from '../run/index.ts'

/** The options of churn: a step may first raise its level from σ to σ̂ = (1 + γ)·σ by fresh noise. */
export interface ChurnConfig {
  /** Sum of γ over a run of evenly churned steps; 0 for none. γ is at most √2 − 1. */
  readonly sChurn: number
  /** Levels that are churned, both included. */
  readonly sTmin: number
  readonly sTmax: number
  /** Standard deviation of the noise; slightly above 1 counters a model that takes away too much. */
  readonly sNoise: number
}

/** The options of churn. */
export function churnFields(): Fields<ChurnConfig> {
  return {
    sChurn: numeric(0, 0),
    sTmin: numeric(0, 0),
    sTmax: numeric(Infinity, 0),
    sNoise: numeric(1, 0),
  }
}

/** Whether the next step churns, and so draws noise. */
export function churns(config: ChurnConfig, state: SchedulerState<unknown>): boolean {
  const sigma = currentSigma(state)
  return config.sChurn > 0 && sigma >= config.sTmin && sigma <= config.sTmax
}

/**
 * The level σ̂ and the sample that a step sets out from: its own where it does not churn. The model was called before,
 * at σ, as in diffusers; the paper calls it at σ̂.
 * Source: Karras et al., arXiv 2206.00364, algorithm 2, lines 4 to 6.
 */
export function churned<T>(call: StepCall<T>, config: ChurnConfig): { readonly sigma: number; readonly sample: T } {
  const { linear, state, sample } = call
  const sigma = currentSigma(state)
  if (!churns(config, state)) return { sigma, sample }
  const gamma = Math.min(config.sChurn / state.plan.timesteps.length, Math.SQRT2 - 1)
  const spread = config.sNoise * sigma * Math.sqrt(gamma * (2 + gamma))
  return { sigma: (1 + gamma) * sigma, sample: combine(linear, [[1, sample], ...noiseTerm(call, spread)]) }
}
