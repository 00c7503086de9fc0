import type { Tensor } from '@antipode/core'
import type { PredictionType } from '@antipode/schedulers'
import type { Condition, Denoiser } from '../denoiser.ts'

/** What an objective computes for one batch: the loss to minimise and numbers to watch, all of one element. */
export interface LossAndMetrics {
  readonly loss: Tensor
  readonly metrics: Readonly<Record<string, Tensor>>
}

/** The networks an objective reads: the one in training, and the frozen one it must not stray from. */
export interface Networks<C extends Condition> {
  readonly model: Denoiser<C>
  readonly reference: Denoiser<C>
}

/** What every training batch has: clean samples are noised to `timesteps` with `noise`, by these coefficients. */
export interface NoiseDraw {
  /** What the model learns to predict; it has no default, since a model that learns something else is ruined without a word. */
  readonly predictionType: PredictionType
  /** `[B]` f32. */
  readonly timesteps: Tensor
  /** √ᾱ and √(1−ᾱ) at the timesteps, `[B, 1, …]`. */
  readonly signal: Tensor
  readonly sigma: Tensor
  /** Unit normal, like the samples. */
  readonly noise: Tensor
}

/** A function from networks and a batch to a loss, and the same objective on the opposite preference. */
export interface Objective<B, C extends Condition> {
  readonly name: string
  evaluate(networks: Networks<C>, batch: B): LossAndMetrics
  /** The objective with preferences reversed. */
  negated(): Objective<B, C>
}

/**
 * Negative preference optimisation: the same objective on the opposite preference. Pairs swap, rewards change sign.
 * Training with it gives the offset δ whose place is the negative branch of {@link cfg} (Diffusion-NPO, arXiv 2505.11245).
 * `negate(negate(o))` computes what `o` computes.
 */
export function negate<B, C extends Condition>(objective: Objective<B, C>): Objective<B, C> {
  return objective.negated()
}
