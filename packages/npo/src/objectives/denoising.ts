import { ShapeError, stopGradient, type Tensor } from '@antipode/core'
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
 * `evaluate` throws ShapeError unless samples and noise have one shape.
 */
export function denoising<C extends Condition>(): {
  readonly name: string
  evaluate(networks: Pick<Networks<C>, 'model'>, batch: SampleBatch<C>): LossAndMetrics
} {
  return {
    name: 'denoising',
    evaluate({ model }, { samples, noise, signal, sigma, timesteps, condition }) {
      if (samples.shape.join() !== noise.shape.join()) {
        const got = `[${samples.shape.join()}] and [${noise.shape.join()}]`
        throw new ShapeError(`denoising: expected samples and noise of one shape, got ${got}; draw noise like the samples`)
      }
      const x = samples.mul(signal).add(noise.mul(sigma))
      const loss: Tensor = model(x, timesteps, condition).sub(noise).square().mean()
      return { loss, metrics: { error: stopGradient(loss) } }
    },
  }
}
