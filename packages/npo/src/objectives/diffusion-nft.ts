import { ConfigError, stopGradient, type Tensor } from '@antipode/core'
import { atLeast, checkOptions, flag, positive, required } from '@antipode/core/options'
import type { Condition, Denoiser } from '../denoiser.ts'
import { noised, predictedClean } from '../process/index.ts'
import type { SampleBatch } from './denoising.ts'
import { checkEach, checkSamples, meanOfEach, squaredErrors, weighed } from './errors.ts'
import { type ModelNetwork, type PreferenceObjective, preferenceObjective } from './objective.ts'

/** Options of {@link diffusionNft}. */
export interface DiffusionNftOptions {
  /** How far the implicit models lie from the old one, positive and finite: 1, or 0.1 for sharp rewards. */
  readonly beta: number
  /**
   * Whether each error is divided by the mean distance of its own estimate from the sample, as in the released code;
   * true by default.
   */
  readonly adaptive?: boolean
  /** Weight of the mean squared change of the prediction from a reference's, 0 or more; 0 by default. */
  readonly divergence?: number
}

/** The network in training, and the one that drew the samples. */
export interface OldNetworks<C extends Condition> extends ModelNetwork<C> {
  readonly old: Denoiser<C>
  /** The frozen network that the model must not stray from, where `divergence` is above 0. */
  readonly reference?: Denoiser<C>
}

/** Samples that the old model drew, and how good they are. */
export interface RewardedBatch<C extends Condition> extends SampleBatch<C> {
  /** Probability that a sample is a good one, `[B]` in [0, 1]: ½ for the mean reward of its group. */
  readonly optimality: Tensor
}

/**
 * DiffusionNFT: good samples draw the model's prediction v towards them and bad ones its reflection about the old one,
 * `mean (r·l(β·v + (1 − β)·v_old) + (1 − r)·l((1 + β)·v_old − β·v))/β` with l the squared error of the clean sample
 * implied and r the optimality. Samples come from the old model, so that no chain of sampling is differentiated.
 * Negated, r becomes 1 − r. Weights of the draw multiply each sample's loss. To it comes `divergence·mean (v − v_ref)²`;
 * the released code multiplies all but that by 5, so that its weight of 10⁻⁴ is 2·10⁻⁵ here. The metric `error` is the
 * mean squared error of the model's own estimate, `divergence` the mean squared change from the reference.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: Zheng et al. 2025, arXiv 2509.16117.
 */
export function diffusionNft<C extends Condition>(
  options: DiffusionNftOptions,
): PreferenceObjective<RewardedBatch<C>, OldNetworks<C>> {
  checkOptions('diffusionNft', options, { beta: required(positive), adaptive: flag, divergence: atLeast(0) })
  const { beta, adaptive = true, divergence = 0 } = options
  return preferenceObjective<RewardedBatch<C>, OldNetworks<C>>({
    name: 'diffusion-nft',
    evaluate({ model, old, reference }, batch) {
      const { samples, noise, timesteps, condition, optimality: r, weights } = batch
      checkSamples('diffusionNft', samples, { noise })
      checkEach('diffusionNft', samples.shape[0] ?? 0, { optimality: r })
      const x = noised(samples, batch)
      const own = model(x, timesteps, condition).to('f32')
      const before = stopGradient(old(x, timesteps, condition)).to('f32')
      // Here, since what they imply would be of the samples' shape whatever theirs is.
      checkSamples('diffusionNft', samples, { 'the prediction': own, 'the old prediction': before })
      const clean = samples.to('f32')
      const lossOf = (prediction: Tensor): Tensor => {
        const implied = predictedClean(prediction, x, batch)
        const error = meanOfEach(squaredErrors('diffusionNft', implied, clean)) // [B]
        return adaptive ? error.div(stopGradient(meanOfEach(implied.sub(clean).abs())).maximum(1e-5)) : error
      }
      const step = own.sub(before).mul(beta)
      const loss = lossOf(before.add(step)).mul(r).add(lossOf(before.sub(step)).mul(r.mul(-1).add(1))).div(beta)
      const error = stopGradient(squaredErrors('diffusionNft', predictedClean(own, x, batch), clean)).mean()
      const mean = weighed('diffusionNft', loss, weights).mean()
      if (divergence === 0) return { loss: mean, metrics: { error } }
      if (!reference) {
        throw new ConfigError(
          `diffusionNft: expected a reference network with a divergence of ${divergence}, got none; pass the base`,
        )
      }
      const change = squaredErrors('diffusionNft', own, stopGradient(reference(x, timesteps, condition)).to('f32')).mean()
      return { loss: mean.add(change.mul(divergence)), metrics: { error, divergence: stopGradient(change) } }
    },
    reversed: (batch) => ({ ...batch, optimality: batch.optimality.mul(-1).add(1) }),
  })
}
