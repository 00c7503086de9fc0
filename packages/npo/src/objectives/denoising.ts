import { stopGradient, type Tensor } from '@antipode/core'
import type { Condition } from '../denoiser.ts'
import type { LossAndMetrics, Networks, NoiseDraw } from './objective.ts'

/** Clean samples to learn from. */
export interface SampleBatch<C extends Condition> extends NoiseDraw {
  /** `[B, ...]` */
  readonly samples: Tensor
  readonly condition: C
}

/**
 * The simple denoising loss, `mean (ε_θ(√ᾱ·x₀ + √(1−ᾱ)·ε, t, c) − ε)²` (Ho et al. 2020, eq. 14): how a model learns its
 * data, and supervised fine-tuning on the samples people prefer. It has no preference to reverse.
 */
export function denoising<C extends Condition>(): { readonly name: string; evaluate(networks: Pick<Networks<C>, 'model'>, batch: SampleBatch<C>): LossAndMetrics } {
  return {
    name: 'denoising',
    evaluate({ model }, { samples, noise, signal, sigma, timesteps, condition }) {
      const loss: Tensor = model(samples.mul(signal).add(noise.mul(sigma)), timesteps, condition).sub(noise).square().mean()
      return { loss, metrics: { error: stopGradient(loss) } }
    },
  }
}
