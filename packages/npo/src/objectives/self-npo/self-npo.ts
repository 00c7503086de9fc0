import { stopGradient, type Tensor } from '@antipode/core'
import { checkOptions, oneOf, positive } from '@antipode/core/options'
import type { Condition } from '../../denoiser.ts'
import { type NoiseLevels, predictedClean } from '../../process/index.ts'
import type { ModelPrediction } from '@antipode/schedulers'
import { checkSamples, meanOfEach, squaredErrors } from '../errors.ts'
import type { ModelNetwork, Objective } from '../objective.ts'

/** Options of {@link selfNpo}. */
export interface SelfNpoOptions {
  /** h of the pseudo-Huber loss, positive and finite; 10⁻³ by default. */
  readonly huber?: number
  /** 'huber' by default, or 'squared'. */
  readonly loss?: 'huber' | 'squared'
}

/** Where a model's own runs stood, noised again, and what its teacher made of them. */
export interface SelfNpoBatch<C extends Condition> extends NoiseLevels {
  readonly predictionType: ModelPrediction
  /** x_s, `[B, ...]` */
  readonly sample: Tensor
  /** y, the teacher's clean estimate at the end of its run, `[B, ...]`. */
  readonly target: Tensor
  /** s, `[B]` f32. */
  readonly timesteps: Tensor
  readonly condition: C
}

/**
 * Self-NPO by truncated diffusion fine-tuning (Wang et al. 2025, arXiv 2505.11777): the model learns clean estimates
 * that its own average made a few steps into a run, `mean √((x̂₀(x_s) − y)² + h²) − h`, and so becomes a slightly worse
 * model that stays near the good one: what the negative branch of guidance is for. No preference enters, so there is
 * nothing to negate. {@link selfRollouts} makes the batches. The error of x₀ has no weight by s, so that noisy samples
 * count most. The metric `error` is the mean squared error.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source of the constants: G-U-N/Diffusion-NPO, Self-NPO/train.py.
 */
export function selfNpo<C extends Condition>(
  options: SelfNpoOptions = {},
): Objective<SelfNpoBatch<C>, ModelNetwork<C>> {
  checkOptions('selfNpo', options, { huber: positive, loss: oneOf('huber', 'squared') })
  const { huber = 1e-3, loss = 'huber' } = options
  return {
    name: 'self-npo',
    evaluate({ model }, batch) {
      const { sample, target, timesteps, condition } = batch
      checkSamples('selfNpo', sample, { target })
      const prediction = model(sample, timesteps, condition)
      checkSamples('selfNpo', sample, { 'the prediction': prediction })
      const squares = squaredErrors('selfNpo', predictedClean(prediction, sample, batch), target)
      const each = loss === 'squared' ? squares : squares.add(huber ** 2).sqrt().sub(huber)
      return { loss: meanOfEach(each).mean(), metrics: { error: stopGradient(squares.mean()) } }
    },
  }
}
