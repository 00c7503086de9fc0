import { stopGradient, type Tensor } from '@antipode/core'
import { positive, type Ranges } from '@antipode/core/options'
import type { Condition, Denoiser } from '../../denoiser.ts'
import { stepLogProb, stepMean, type Transitions } from '../../transitions/index.ts'
import { checkSamples } from '../errors.ts'
import type { LossAndMetrics } from '../objective.ts'

/** Steps that a policy took, and how good their runs were. */
export interface PolicyBatch<C extends Condition> extends Transitions {
  readonly condition: C
  /** Log-probabilities under the policy that took the steps, `[B]` f32: see `stepLogProb`. */
  readonly logProbs: Tensor
  /** How much better a run's reward is than others of its prompt, `[B]`: see {@link groupAdvantages}. */
  readonly advantages: Tensor
}

/** What all policy gradients here have: positive and finite. */
export interface PolicyGradientOptions {
  /** ε, how far a ratio may move from 1 until its gradient is cut off. */
  readonly clip?: number
  /** Largest advantage in either direction; 5 by default. */
  readonly advantageClip?: number
}

export const policyGradientRanges: Ranges<PolicyGradientOptions> = { clip: positive, advantageClip: positive }

/** The batch with the opposite preference: rewards change sign, and the clip is symmetric. */
export function opposedAdvantages<B extends PolicyBatch<Condition>>(batch: B): B {
  return { ...batch, advantages: batch.advantages.neg() }
}

/** Where the model would have gone on average, f32 `[B, ...]`. */
export function meanOf<C extends Condition>(where: string, denoise: Denoiser<C>, batch: PolicyBatch<C>): Tensor {
  const { sample, next, input, timesteps, condition } = batch
  checkSamples(where, sample, { 'what comes next': next })
  const prediction = denoise(sample.mul(input.to(sample.dtype)), timesteps, condition)
  checkSamples(where, sample, { 'the prediction': prediction })
  return stepMean(prediction, batch)
}

/**
 * Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347, eq. 7) on steps of a sampler, a loss to be
 * minimised: `mean max(−A·r, −A·clip(r, 1 ± ε))` with r the ratio of a step's probability now to when it was taken, and
 * A the advantage. The gradient is cut off only on the side that is an improvement already.
 *
 * Metrics: `approxKl` (½ mean (log p − log p_old)²) and `clipFraction` (share of ratios outside of the band).
 */
export function clippedPolicyLoss<C extends Condition>(
  mean: Tensor, batch: PolicyBatch<C>, { clip, advantageClip }: Required<PolicyGradientOptions>,
): LossAndMetrics {
  const change = stepLogProb(mean, batch).sub(batch.logProbs)
  const ratio = change.exp()
  const pull = batch.advantages.clamp(-advantageClip, advantageClip).neg()
  const loss = pull.mul(ratio).maximum(pull.mul(ratio.clamp(1 - clip, 1 + clip))).mean()
  const outside = stopGradient(ratio).sub(1).abs().gt(clip)
  return {
    loss, metrics: { approxKl: stopGradient(change).square().mean().mul(0.5), clipFraction: outside.mean() },
  }
}
