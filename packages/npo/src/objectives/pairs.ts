import { concat, type Tensor } from '@antipode/core'
import { type Condition, type Denoiser, joinConditions } from '../denoiser.ts'
import { noised, type NoiseDraw, targetOf } from '../process/index.ts'
import { checkSamples, meanOfEach, squaredErrors } from './errors.ts'
import { type LossAndMetrics, type PreferenceObjective, preferenceObjective } from './objective.ts'

/** Pairs of samples of one condition, of which the first is preferred; both are noised with the same draw. */
export interface PairBatch<C extends Condition> extends NoiseDraw {
  /** Clean samples people prefer, `[B, ...]`. */
  readonly chosen: Tensor
  /** Clean samples people do not, `[B, ...]`. */
  readonly rejected: Tensor
  readonly condition: C
}

/** The batch with the opposite preference. */
export function swapPair<C extends Condition>(batch: PairBatch<C>): PairBatch<C> {
  return { ...batch, chosen: batch.rejected, rejected: batch.chosen }
}

/** An objective on pairs; its negation swaps them. */
export function pairObjective<C extends Condition, Networks extends object>(
  name: string,
  evaluate: (networks: Networks, batch: PairBatch<C>) => LossAndMetrics,
): PreferenceObjective<PairBatch<C>, Networks> {
  return preferenceObjective({ name, evaluate, reversed: swapPair })
}

/** A number of each pair's two samples, `[B]` f32 each. */
export interface PairErrors {
  readonly chosen: Tensor
  readonly rejected: Tensor
}

/**
 * Mean squared error of what is predicted for every sample of a batch's two halves, each `[B]` f32; the weights of the
 * draw are left to the objective.
 * @throws {ShapeError} unless samples, noise and predictions have one shape, with at least one element
 * @throws {ConfigError} if the batch does not say what the model predicts
 */
export function pairErrors<C extends Condition>(denoise: Denoiser<C>, batch: PairBatch<C>): PairErrors {
  const { chosen, rejected, noise, timesteps, condition } = batch
  checkSamples('pairErrors', chosen, { rejected, noise })
  const count = chosen.shape[0] ?? 0
  // Chosen and rejected rows in one forward pass of 2B.
  const x = concat([noised(chosen, batch), noised(rejected, batch)]) // [2B, ...]
  const target = concat([targetOf('pairErrors', chosen, batch), targetOf('pairErrors', rejected, batch)])
  const prediction = denoise(x, concat([timesteps, timesteps]), joinConditions(condition, condition))
  const error = meanOfEach(squaredErrors('pairErrors', prediction, target))
  return { chosen: error.slice(0, 0, count), rejected: error.slice(0, count) }
}

/**
 * Share of some errors' sum up to which the margin made of them is rounding: 8 units in the last place. A backward pass
 * reads the model's activations but not the reference's, so that networks that are equal may be fused, and sum, in
 * different ways.
 */
const rounding = 2 ** -20

/**
 * 1 for each pair that is ranked right, its margin below 0, 0 for those ranked wrong and ½ for ties: `[B]`.
 * @param errors that the margins are made of, added up
 */
export function rankedRight(margin: Tensor, errors: Tensor): Tensor {
  const bound = errors.mul(rounding)
  // Comparisons with NaN are 0, as if it were a tie; times 0 it stays NaN.
  return margin.lt(bound.neg()).sub(margin.gt(bound)).add(1).mul(0.5).add(margin.mul(0))
}
