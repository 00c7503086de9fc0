import { logSigmoid, Tensor, where } from '@antipode/core'
import { below, checkOptions, positive, required } from '@antipode/core/options'
import type { Condition } from '../denoiser.ts'
import { checkEach, weighed } from './errors.ts'
import type { PreferenceObjective, ReferredNetworks } from './objective.ts'
import { type PairBatch, pairObjective } from './pairs.ts'
import { referredPairs } from './referred-pairs.ts'

/** Options of {@link diffSnpo}. */
export interface DiffSnpoOptions {
  /** β, positive and finite: 2000 for SD1.5, 5000 for SDXL. It has no ½. */
  readonly beta: number
  /** λ in [0, 1): how much of the rejected sample's error counts; 0.9 by default. */
  readonly lambda?: number
}

/**
 * Diff-SNPO, preference and its negation in one network: Diffusion-DPO whose rejected side has an end, `mean −log
 * σ(β·((m_ref − m)(chosen) − log(λ·e^((m_ref − m)(rejected)) + 1 − λ)))`, on batches of {@link branchPairs}, in which the
 * prompt's branch learns pairs as they are and the branch without a prompt learns them swapped. Guidance with that one
 * network then has its negative model built in. Negated, pairs swap. It starts at ln 2. Weights of the draw multiply all
 * four errors of a pair. Metrics are those of {@link ReferredPairs}.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: openreview.net/forum?id=CU5EHe1KUt, by the notes of others; its code was not published when this was written.
 */
export function diffSnpo<C extends Condition>(
  options: DiffSnpoOptions,
): PreferenceObjective<PairBatch<C>, ReferredNetworks<C>> {
  checkOptions('diffSnpo', options, { beta: required(positive), lambda: below(0, 1) })
  const { beta, lambda = 0.9 } = options
  return pairObjective('diff-snpo', (networks, batch) => {
    const { own, frozen, metrics } = referredPairs('diffSnpo', networks, batch)
    const chosen = weighed('diffSnpo', frozen.chosen.sub(own.chosen), batch.weights)
    const rejected = weighed('diffSnpo', frozen.rejected.sub(own.rejected), batch.weights)
    const bounded = rejected.exp().mul(lambda).add(1 - lambda).log()
    return { loss: logSigmoid(chosen.sub(bounded).mul(beta)).mean().neg(), metrics }
  })
}

/**
 * The batch of {@link diffSnpo}: pairs whose coin shows 1 stay as they are, and those whose coin shows 0 swap and have
 * the condition of no prompt.
 * @param coins `[B]`, 0 or 1 each, from a draw of the caller's
 * @param empty conditions of no prompt, shaped like the batch's own
 * @throws {ShapeError} unless there is a coin a pair
 */
export function branchPairs<C extends Condition>(batch: PairBatch<C>, coins: Tensor, empty: C): PairBatch<C> {
  const { chosen, rejected, noise, rejectedNoise } = batch
  checkEach('branchPairs', chosen.shape[0] ?? 0, { coins })
  const choose = (heads: Tensor, tails: Tensor): Tensor =>
    where(coins.gt(0.5).reshape([coins.size, ...heads.shape.slice(1).map(() => 1)]), heads, tails)
  const noises = rejectedNoise
    ? { noise: choose(noise, rejectedNoise), rejectedNoise: choose(rejectedNoise, noise) }
    : {}
  return {
    ...batch, ...noises, chosen: choose(chosen, rejected), rejected: choose(rejected, chosen),
    condition: chooseCondition(choose, batch.condition, empty),
  }
}

function chooseCondition<C extends Condition>(choose: (heads: Tensor, tails: Tensor) => Tensor, heads: C, tails: C): C {
  if (heads === undefined || tails === undefined) return heads
  if (heads instanceof Tensor) return choose(heads, tails as Tensor) as C
  const others = tails as Readonly<Record<string, Tensor>>
  return Object.fromEntries(Object.entries(heads).map(([name, t]) => [name, choose(t, others[name] ?? t)])) as C
}
