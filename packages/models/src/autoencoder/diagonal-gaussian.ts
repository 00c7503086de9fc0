import type { Tensor } from '@antipode/core'
import { ShapeError, split } from '@antipode/core'

/** A normal distribution of latents, each independent of the others. */
export class DiagonalGaussian {
  /** Means, then logarithms of variances before they are held: `[B, 2·C, h, w]`. */
  readonly moments: Tensor
  /** `[B, C, h, w]` */
  readonly mean: Tensor
  /** Held to [−30, 20]. */
  readonly logVariance: Tensor

  /** @param moments `[B, 2·C, h, w]`: means, then logarithms of variances @throws {ShapeError} unless there are as many of both */
  constructor(moments: Tensor) {
    if ((moments.shape[1] ?? 1) % 2 !== 0) throw new ShapeError(`DiagonalGaussian: expected moments [B, 2·C, h, w], got [${moments.shape.join()}]`)
    const [mean, logVariance] = split(moments, 2, 1) as [Tensor, Tensor]
    this.moments = moments
    this.mean = mean
    this.logVariance = logVariance.clamp(-30, 20)
  }

  /** The most likely latents. */
  mode(): Tensor {
    return this.mean
  }

  /** `mean + e^(logVariance/2)·noise`. @param noise unit normal, of the mean's shape */
  sample(noise: Tensor): Tensor {
    return this.mean.add(this.logVariance.mul(0.5).exp().mul(noise))
  }

  /**
   * Divergence from unit normal noise, `[B]`, in nats: `½·Σ(mean² + e^logVariance − 1 − logVariance)`. Source: Kingma and
   * Welling 2013, arXiv 1312.6114, appendix B.
   */
  kl(): Tensor {
    const each = this.mean.square().add(this.logVariance.exp()).sub(1).sub(this.logVariance)
    return each.sum({ axes: [1, 2, 3] }).mul(0.5)
  }
}
