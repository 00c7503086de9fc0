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
  /** Noise of the rejected samples where it is not that of the chosen ones: see {@link invertedPairs}. */
  readonly rejectedNoise?: Tensor
  readonly condition: C
}

/** The batch with the opposite preference. */
export function swapPair<Batch extends PairBatch<Condition>>(batch: Batch): Batch {
  const { chosen, rejected, noise, rejectedNoise } = batch
  const noises = rejectedNoise ? { noise: rejectedNoise, rejectedNoise: noise } : {}
  return { ...batch, chosen: rejected, rejected: chosen, ...noises }
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
 * What a model is to predict for the chosen and then for the rejected samples of a batch, `[2B, ...]` f32.
 * @throws {ShapeError} unless samples and noise have one shape, with at least one element
 * @throws {ConfigError} if the batch does not say what the model predicts
 */
export function pairTargets<C extends Condition>(where: string, batch: PairBatch<C>): Tensor {
  const { chosen, rejected, noise, rejectedNoise = noise } = batch
  checkSamples(where, chosen, { rejected, noise, 'noise of the rejected ones': rejectedNoise })
  return concat([targetOf(where, chosen, batch), targetOf(where, rejected, { ...batch, noise: rejectedNoise })])
}

/** What a model predicts for them: one forward pass of 2B rows, `[2B, ...]`. */
export function pairPredictions<C extends Condition>(denoise: Denoiser<C>, batch: PairBatch<C>): Tensor {
  const { chosen, rejected, noise, rejectedNoise = noise, timesteps, condition } = batch
  const x = concat([noised(chosen, batch), noised(rejected, { ...batch, noise: rejectedNoise })])
  return denoise(x, concat([timesteps, timesteps]), joinConditions(condition, condition))
}

/**
 * Mean squared error of what is predicted for every sample of a batch's two halves, each `[B]` f32; the weights of the
 * draw are left to the objective.
 * @throws {ShapeError} unless samples, noise and predictions have one shape, with at least one element
 * @throws {ConfigError} if the batch does not say what the model predicts
 */
export function pairErrors<C extends Condition>(denoise: Denoiser<C>, batch: PairBatch<C>): PairErrors {
  const target = pairTargets('pairErrors', batch)
  return halves(meanOfEach(squaredErrors('pairErrors', pairPredictions(denoise, batch), target)))
}

/** The rows of chosen and those of rejected samples, `[2B, ...] -> [B, ...]` each. */
export function halves(rows: Tensor): PairErrors {
  const count = (rows.shape[0] ?? 0) / 2
  return { chosen: rows.slice(0, 0, count), rejected: rows.slice(0, count) }
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
