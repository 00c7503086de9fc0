import type { Tensor } from '@antipode/core'
import type { Condition } from '../denoiser.ts'
import type { LossAndMetrics, Networks, NoiseDraw, Objective } from './objective.ts'

/** Pairs of samples of one condition, of which the first is preferred; both are noised with the same draw. */
export interface PairBatch<C extends Condition> extends NoiseDraw {
  /** Clean samples people prefer, `[B, ...]`. */
  readonly preferred: Tensor
  /** Clean samples people do not, `[B, ...]`. */
  readonly other: Tensor
  readonly condition: C
}

/** The batch with the opposite preference. */
export function swapPair<C extends Condition>(batch: PairBatch<C>): PairBatch<C> {
  return { ...batch, preferred: batch.other, other: batch.preferred }
}

/** An objective on pairs; its negation swaps them. */
export function pairObjective<C extends Condition>(
  name: string,
  loss: (networks: Networks<C>, batch: PairBatch<C>) => LossAndMetrics,
): Objective<PairBatch<C>, C> {
  return {
    name,
    evaluate: loss,
    negated: () => ({
      name: `negated ${name}`,
      evaluate: (networks, batch) => loss(networks, swapPair(batch)),
      negated: () => pairObjective(name, loss),
    }),
  }
}
