import { stopGradient, type Tensor } from '@antipode/core'
import type { Condition } from '../denoiser.ts'
import type { NoiseDraw } from '../process/index.ts'
import { sampleErrors, weighed } from './errors.ts'
import type { ModelNetwork, Objective } from './objective.ts'

/** Clean samples to learn from. */
export interface SampleBatch<C extends Condition> extends NoiseDraw {
  /** `[B, ...]` */
  readonly samples: Tensor
  readonly condition: C
}

/**
 * The simple denoising loss, `mean (ε_θ(α·x₀ + σ·ε, t, c) − ε)²` (Ho et al. 2020, eq. 14), with v, x₀ or a flow's ε −
 * x₀ in place of ε for models that predict them: how a model learns its data. It has no preference to reverse; on pairs
 * that is {@link fineTuning}. Weights of the draw multiply each sample's mean. The loss is computed in f32 from the
 * prediction on; the metric `error` is the mean without weights. `evaluate` throws ShapeError unless samples, noise and
 * predictions have one shape, and ConfigError if the draw does not say what the model predicts.
 */
export function denoising<C extends Condition>(): Objective<SampleBatch<C>, ModelNetwork<C>> {
  return {
    name: 'denoising',
    evaluate({ model }, batch) {
      const errors = sampleErrors('denoising', model, batch.samples, batch)
      const loss = weighed('denoising', errors, batch.weights).mean()
      return { loss, metrics: { error: stopGradient(errors).mean() } }
    },
  }
}
