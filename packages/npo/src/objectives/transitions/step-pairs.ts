import { concat, stopGradient, type Tensor } from '@antipode/core'
import { type Condition, type Denoiser, joinConditions } from '../../denoiser.ts'
import { stepLogProb, stepMean, type Transitions } from '../../transitions/index.ts'
import { checkSamples } from '../errors.ts'
import type { LossAndMetrics, ReferredNetworks } from '../objective.ts'
import { rankedRight } from '../pairs.ts'

/** Steps of two runs under one condition, of which the first leads to the sample that is preferred. */
export interface StepPairBatch<C extends Condition> {
  readonly chosen: Transitions
  readonly rejected: Transitions
  readonly condition: C
}

/** The batch with the opposite preference. */
export function swapSteps<B extends StepPairBatch<Condition>>(batch: B): B {
  return { ...batch, chosen: batch.rejected, rejected: batch.chosen }
}

/** How far a model has moved from its reference on each side of a pair, `[B]` f32 each. */
interface LogRatios {
  /** ln of p_θ(x'|x)/p_ref(x'|x), clamped. */
  readonly chosen: Tensor
  readonly rejected: Tensor
  /** Shares of the sides outside of the clamp's band, by direction, and `accuracy`. */
  readonly metrics: LossAndMetrics['metrics']
}

/**
 * Ratios of both sides, held to [1 − ε, 1 + ε]. Outside of it a side has no gradient, also where it went the wrong way:
 * a chosen step that has become less likely by more than ε is not pulled back by its own term, so the shares of clipped
 * sides are counted by direction.
 */
export function clampedLogRatios<C extends Condition>(
  where: string, { model, reference }: ReferredNetworks<C>, batch: StepPairBatch<C>, clip: number,
): LogRatios {
  const own = logProbs(where, model, batch)
  const frozen = logProbs(where, reference, batch).map(stopGradient)
  const [low, high] = [Math.log1p(-clip), Math.log1p(clip)]
  const raw = own.map((p, side) => p.sub(frozen[side] as Tensor))
  const [chosen, rejected] = raw.map((r) => r.clamp(low, high)) as [Tensor, Tensor]
  const [won, lost] = raw.map(stopGradient) as [Tensor, Tensor]
  const sizes = [...own.map(stopGradient), ...frozen].map((p) => p.abs()).reduce((sum, p) => sum.add(p))
  return {
    chosen, rejected,
    metrics: {
      accuracy: rankedRight(lost.sub(won), sizes).mean(),
      chosenAbove: won.gt(high).mean(), chosenBelow: won.lt(low).mean(),
      rejectedAbove: lost.gt(high).mean(), rejectedBelow: lost.lt(low).mean(),
    },
  }
}

/** Of the chosen and the rejected steps, each `[B]`: by one pass of 2B, or of B where both start from one sample. */
function logProbs<C extends Condition>(where: string, denoise: Denoiser<C>, batch: StepPairBatch<C>): readonly Tensor[] {
  const { chosen, rejected, condition } = batch
  const { next, ...others } = chosen
  const { sample } = chosen
  checkSamples(where, sample, { 'what comes next': next, 'the rejected': rejected.sample, 'what comes next of it': rejected.next })
  const asked = (x: Transitions): Tensor => x.sample.mul(x.input.to(x.sample.dtype))
  const count = sample.shape[0] ?? 0
  if (sample === rejected.sample && chosen.timesteps === rejected.timesteps) {
    const prediction = denoise(asked(chosen), chosen.timesteps, condition)
    checkSamples(where, sample, { 'the prediction': prediction })
    const mean = stepMean(prediction, others)
    return [stepLogProb(mean, chosen), stepLogProb(mean, rejected)]
  }
  const x = concat([asked(chosen), asked(rejected)]) // [2B, ...]
  const timesteps = concat([chosen.timesteps, rejected.timesteps])
  const both = denoise(x, timesteps, joinConditions(condition, condition))
  checkSamples(where, x, { 'the prediction': both })
  return [chosen, rejected].map((side, i) => {
    const prediction = both.slice(0, i * count, (i + 1) * count)
    return stepLogProb(stepMean(prediction, side), side)
  })
}
