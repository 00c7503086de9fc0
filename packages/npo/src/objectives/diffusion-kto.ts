import { concat, logSigmoid, stopGradient, Tensor } from '@antipode/core'
import { checkOptions, oneOf, positive } from '@antipode/core/options'
import type { Condition } from '../denoiser.ts'
import type { SampleBatch } from './denoising.ts'
import { checkEach, sampleErrors, weighed } from './errors.ts'
import type { LossAndMetrics, PreferenceObjective, ReferredNetworks } from './objective.ts'
import { rankedRight } from './pairs.ts'

/** Samples, each of which people like or do not; no pairs are needed. */
export interface LabelledBatch<C extends Condition> extends SampleBatch<C> {
  /** 1 for samples people like, 0 for others, `[B]`. */
  readonly labels: Tensor
}

/** What a gain is worth. */
type Utility = 'kahneman-tversky' | 'loss-averse' | 'risk-seeking' | 'risk-seeking-1' | 'risk-seeking-2'
/** What a gain is measured from. */
type Offset = 'batch' | 'balanced' | 'mismatched'

/** Options of {@link diffusionKto}. */
export interface DiffusionKtoOptions {
  /** β, positive and finite; 1000 by default. It has no ½. */
  readonly beta?: number
  /**
   * U, of x = y·β·(g − Q) and the sign y: `kahneman-tversky` σ(x), the default, concave for gains and convex for losses;
   * `loss-averse` log σ(x); `risk-seeking` −log σ(−x). Two that were released beside: `risk-seeking-1` −y·log σ(−y·x),
   * risk seeking for what is liked and loss averse for others, and `risk-seeking-2` y·exp(y·x/100) − 1.
   */
  readonly utility?: Utility
  /**
   * Q. `batch`, the default: max(0, mean g of the batch). `balanced`: half the mean of those liked and half that of the
   * others, without a bound. `mismatched`: mean g of each sample with its neighbour's condition, for batches of 2 or
   * more.
   */
  readonly offset?: Offset
  /** λ of samples people like and of others, positive and finite; 1 by default. */
  readonly desirable?: number
  readonly undesirable?: number
}

/** Of x and y, which signs x so that more is better. */
const utilities: Readonly<Record<Utility, (x: Tensor, y: Tensor) => Tensor>> = {
  'kahneman-tversky': (x) => x.sigmoid(),
  'loss-averse': (x) => logSigmoid(x),
  'risk-seeking': (x) => logSigmoid(x.neg()).neg(),
  'risk-seeking-1': (x, y) => logSigmoid(x.mul(y).neg()).mul(y).neg(),
  'risk-seeking-2': (x, y) => x.mul(y).div(100).exp().mul(y).sub(1),
}

/**
 * Diffusion-KTO (Li et al. 2024, arXiv 2404.04465): with `g = m_ref(x) − m(x)` the gain of a sample over the reference
 * and y = ±1 whether people like it, the loss is `mean λ_y·(1 − U(y·β·(g − Q)))`. Q has no gradient. Negated, labels turn
 * over and both λ change places, so that each sample keeps its λ. At the start U is that of 0: ½ and the losses ½·λ
 * under the default. Weights of the draw multiply both errors of a sample.
 *
 * Metrics: `accuracy` (share of samples on their label's side of Q, ties ½), `offset` (Q), and without weights `error`
 * (mean m) and `referenceError`.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: jacklishufan/diffusion-kto, train_kto_sd_v1.5.py, whose `bce_offset` calls the offsets none, sigmoid and
 * original, and whose `halo` the utilities sigmoid, loss_averse, risk_seeking_3, _1 and _2.
 */
export function diffusionKto<C extends Condition>(
  options: DiffusionKtoOptions = {},
): PreferenceObjective<LabelledBatch<C>, ReferredNetworks<C>> {
  checkOptions('diffusionKto', options, {
    beta: positive, utility: oneOf(...Object.keys(utilities)),
    offset: oneOf('batch', 'balanced', 'mismatched'), desirable: positive, undesirable: positive,
  })
  const { beta = 1000, utility = 'kahneman-tversky', offset = 'batch', desirable = 1, undesirable = 1 } = options

  const evaluate = (
    { model, reference }: ReferredNetworks<C>, batch: LabelledBatch<C>, liked: number, others: number,
  ): LossAndMetrics => {
    const { samples, labels, weights } = batch
    const errorsOf = (draw: LabelledBatch<C>): { own: Tensor; frozen: Tensor; gain: Tensor } => {
      const own = sampleErrors('diffusionKto', model, samples, draw)
      const frozen = stopGradient(sampleErrors('diffusionKto', reference, samples, draw))
      return { own, frozen, gain: weighed('diffusionKto', frozen.sub(own), weights) }
    }
    const { own, frozen, gain } = errorsOf(batch)
    checkEach('diffusionKto', samples.shape[0] ?? 0, { labels })
    const shifted = offset === 'mismatched' ? errorsOf({ ...batch, condition: rolled(batch.condition) }).gain : gain
    const baseline = stopGradient(offsetOf(offset, shifted, labels))
    const side = labels.mul(2).sub(1)
    const signed = gain.sub(baseline).mul(side)
    const lambda = labels.mul(liked - others).add(others)
    const sum = stopGradient(own).add(frozen)
    return {
      loss: lambda.mul(utilities[utility](signed.mul(beta), side).neg().add(1)).mean(),
      metrics: {
        accuracy: rankedRight(stopGradient(signed).neg(), sum).mean(),
        offset: baseline,
        error: stopGradient(own).mean(),
        referenceError: frozen.mean(),
      },
    }
  }

  const plain: PreferenceObjective<LabelledBatch<C>, ReferredNetworks<C>> = {
    name: 'diffusion-kto',
    evaluate: (networks, batch) => evaluate(networks, batch, desirable, undesirable),
    negated: () => opposite,
  }
  const opposite: PreferenceObjective<LabelledBatch<C>, ReferredNetworks<C>> = {
    name: 'negated diffusion-kto',
    evaluate: (networks, batch) =>
      evaluate(networks, { ...batch, labels: batch.labels.neg().add(1) }, undesirable, desirable),
    negated: () => plain,
  }
  return plain
}

/** Q, one element. */
function offsetOf(kind: Offset, gain: Tensor, labels: Tensor): Tensor {
  if (kind === 'batch') return gain.mean().maximum(0)
  if (kind === 'mismatched') return gain.mean()
  const meanOf = (share: Tensor): Tensor => gain.mul(share).sum().div(share.sum().maximum(1))
  return meanOf(labels).add(meanOf(labels.neg().add(1))).mul(0.5)
}

/** Each sample's condition taken from the one before it, the first one's from the last. */
function rolled<C extends Condition>(condition: C): C {
  const roll = (t: Tensor): Tensor => concat([t.slice(0, -1), t.slice(0, 0, -1)])
  if (condition === undefined) return condition
  if (condition instanceof Tensor) return roll(condition) as C
  return Object.fromEntries(Object.entries(condition).map(([name, t]) => [name, roll(t)])) as C
}
