import type { Tensor } from '@antipode/core'
import type { Condition, Denoiser } from '../denoiser.ts'

/** What an objective computes for one batch: the loss to minimise and numbers to watch, all of one element. */
export interface LossAndMetrics {
  readonly loss: Tensor
  readonly metrics: Readonly<Record<string, Tensor>>
}

/** The network in training, which is all that some objectives read. */
export interface ModelNetwork<C extends Condition> {
  readonly model: Denoiser<C>
}

/** The network in training, and the frozen one that it must not stray from. */
export interface ReferredNetworks<C extends Condition> extends ModelNetwork<C> {
  readonly reference: Denoiser<C>
}

/**
 * A function from networks and a batch to a loss. Which networks is the objective's own matter: the model alone, a
 * reference beside it, an older model, a reward. Batches that models sample themselves are made where batches are made
 * (see {@link pairMaker}), so that an objective draws nothing.
 */
export interface Objective<Batch, Networks extends object> {
  readonly name: string
  evaluate(networks: Networks, batch: Batch): LossAndMetrics
}

/** An objective that holds a preference, and says how it is reversed. */
export interface PreferenceObjective<Batch, Networks extends object> extends Objective<Batch, Networks> {
  /** The same objective on the opposite preference. */
  negated(): PreferenceObjective<Batch, Networks>
}

/** An objective whose preference lies in its batches: it is negated by reversing them. */
export interface PreferenceDefinition<Batch, Networks extends object> extends Objective<Batch, Networks> {
  /** The batch with the opposite preference: pairs swap, rewards change sign. Twice, it gives the batch again. */
  reversed(batch: Batch): Batch
}

/** A preference objective from its loss and what reverses a batch. */
export function preferenceObjective<Batch, Networks extends object>(
  { name, evaluate, reversed }: PreferenceDefinition<Batch, Networks>,
): PreferenceObjective<Batch, Networks> {
  const plain: PreferenceObjective<Batch, Networks> = { name, evaluate, negated: () => opposite }
  const opposite: PreferenceObjective<Batch, Networks> = {
    name: `negated ${name}`,
    evaluate: (networks, batch) => evaluate(networks, reversed(batch)),
    negated: () => plain,
  }
  return plain
}

/**
 * Negative preference optimisation: the same objective on the opposite preference. Pairs swap, rewards change sign.
 * Training with it gives the offset δ whose place is the negative branch of {@link cfg} (Diffusion-NPO, arXiv
 * 2505.11245). `negate(negate(o))` computes what `o` computes.
 */
export function negate<Batch, Networks extends object>(
  objective: PreferenceObjective<Batch, Networks>,
): PreferenceObjective<Batch, Networks> {
  return objective.negated()
}
