import { stopGradient, type Tensor } from '@antipode/core'
import { checkOptions, flag, positive, required } from '@antipode/core/options'
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
}

/** The network in training, and the one that drew the samples. */
export interface OldNetworks<C extends Condition> extends ModelNetwork<C> {
  readonly old: Denoiser<C>
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
 * Negated, r becomes 1 − r. Weights of the draw multiply each sample's loss. The metric `error` is the mean squared
 * error of the model's own estimate.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: Zheng et al. 2025, arXiv 2509.16117.
 */
export function diffusionNft<C extends Condition>(
  options: DiffusionNftOptions,
): PreferenceObjective<RewardedBatch<C>, OldNetworks<C>> {
  checkOptions('diffusionNft', options, { beta: required(positive), adaptive: flag })
  const { beta, adaptive = true } = options
  return preferenceObjective<RewardedBatch<C>, OldNetworks<C>>({
    name: 'diffusion-nft',
    evaluate({ model, old }, batch) {
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
      const change = own.sub(before).mul(beta)
      const loss = lossOf(before.add(change)).mul(r).add(lossOf(before.sub(change)).mul(r.mul(-1).add(1))).div(beta)
      const error = stopGradient(squaredErrors('diffusionNft', predictedClean(own, x, batch), clean)).mean()
      return { loss: weighed('diffusionNft', loss, weights).mean(), metrics: { error } }
    },
    reversed: (batch) => ({ ...batch, optimality: batch.optimality.mul(-1).add(1) }),
  })
}
