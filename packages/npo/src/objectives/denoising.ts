import { stopGradient, type Tensor } from '@antipode/core'
import type { Condition } from '../denoiser.ts'
import type { LossAndMetrics, Networks, NoiseDraw } from './objective.ts'
import { checkSamples, noised, squaredErrors, targetOf } from './regression.ts'

/** Clean samples to learn from. */
export interface SampleBatch<C extends Condition> extends NoiseDraw {
  /** `[B, ...]` */
  readonly samples: Tensor
  readonly condition: C
}

/**
 * The simple denoising loss, `mean (ε_θ(√ᾱ·x₀ + √(1−ᾱ)·ε, t, c) − ε)²` (Ho et al. 2020, eq. 14), with v or x₀ in place of
 * ε for models that predict them: how a model learns its data, and supervised fine-tuning on the samples people prefer. It
 * has no preference to reverse. The loss is computed in f32 from the prediction on.
 * `evaluate` throws ShapeError unless samples, noise and predictions have one shape, and ConfigError if the draw does not
 * say what the model predicts.
 */
export function denoising<C extends Condition>(): {
  readonly name: string
  evaluate(networks: Pick<Networks<C>, 'model'>, batch: SampleBatch<C>): LossAndMetrics
} {
  return {
    name: 'denoising',
    evaluate({ model }, batch) {
      const { samples, noise, timesteps, condition } = batch
      checkSamples('denoising', samples, { noise })
      const target = targetOf('denoising', samples, batch)
      const loss = squaredErrors('denoising', model(noised(samples, batch), timesteps, condition), target).mean()
      return { loss, metrics: { error: stopGradient(loss) } }
    },
  }
}
