import { concat, logSigmoid, stopGradient, type Tensor } from '@antipode/core'
import { checkOptions, positive, required } from '@antipode/core/options'
import { type Condition, type Denoiser, joinConditions } from '../denoiser.ts'
import type { Objective } from './objective.ts'
import { type PairBatch, pairObjective } from './pairs.ts'
import { checkSamples, noised, squaredErrors, targetOf } from './regression.ts'

/** Options of {@link diffusionDpo}. */
export interface DiffusionDpoOptions {
  /**
   * Strength of the pull to the reference, positive and finite, in the unit of the paper's released code: the logit is
   * `−(β/2)·(D − D_ref)` with D a difference of *mean* squared errors. 2000–5000 for latent models. Scripts that leave the ½
   * out (diffusers' LoRA script for SD1.5, Diffusion-NPO's `train_sd15.py`) mean half as much: their 500 is 1000 here.
   */
  readonly beta: number
}

/**
 * Diffusion-DPO (Wallace et al. 2023, arXiv 2311.12908, eq. 14): with m(x) the mean squared error of predicting the
 * noise in x, `D = m(preferred) − m(other)` of the model and `D_ref` of the reference, the loss is
 * `mean −log σ(−(β/2)·(D − D_ref))`. One timestep and one noise are shared by both images and both networks. Models of v or
 * x₀ are compared by their errors of that. All is computed in f32 from the predictions on.
 *
 * Metrics: `accuracy` (share of pairs ranked right, ties ½; pairs whose margin is {@link rounding} are ties), `error` (mean m
 * of the model: above about 1.2 the model has collapsed, whatever the accuracy says) and `referenceError`.
 * @throws {ConfigError} unless β is positive and finite
 */
export function diffusionDpo<C extends Condition>(options: DiffusionDpoOptions): Objective<PairBatch<C>, C> {
  checkOptions('diffusionDpo', options, { beta: required(positive) })
  const { beta } = options
  return pairObjective('diffusion-dpo', ({ model, reference }, batch) => {
    const own = pairErrors(model, batch)
    const frozen = stopped(pairErrors(reference, batch))
    const margin = own.preferred.sub(own.other).sub(frozen.preferred.sub(frozen.other))
    const logit = margin.mul(-beta / 2)
    const { preferred, other } = stopped(own)
    return {
      loss: logSigmoid(logit).mean().neg(),
      metrics: {
        accuracy: ranked(stopGradient(margin), preferred.add(other).add(frozen.preferred).add(frozen.other)).mean(),
        error: preferred.add(other).mul(0.5).mean(),
        referenceError: frozen.preferred.add(frozen.other).mul(0.5).mean(),
      },
    }
  })
}

/**
 * Share of four errors' sum up to which the margin made of them is rounding: 8 units in the last place. A backward pass reads the
 * model's activations but not the reference's, so that networks that are equal may be fused, and sum, in different ways.
 */
const rounding = 2 ** -20

/** 1 for each pair that is ranked right, 0 for those ranked wrong and ½ for ties: `[B]`, from margins and the errors they are of. */
function ranked(margin: Tensor, errors: Tensor): Tensor {
  const bound = errors.mul(rounding)
  // Comparisons with NaN are 0, as if it were a tie; times 0 it stays NaN.
  return margin.lt(bound.neg()).sub(margin.gt(bound)).add(1).mul(0.5).add(margin.mul(0))
}

interface PairErrors {
  readonly preferred: Tensor
  readonly other: Tensor
}

function stopped({ preferred, other }: PairErrors): PairErrors {
  return { preferred: stopGradient(preferred), other: stopGradient(other) }
}

/**
 * Mean squared error of what is predicted for every sample of a batch's two halves, each `[B]` f32.
 * @throws {ShapeError} unless samples, noise and predictions have one shape, with at least one element
 * @throws {ConfigError} if the batch does not say what the model predicts
 */
export function pairErrors<C extends Condition>(denoise: Denoiser<C>, batch: PairBatch<C>): { preferred: Tensor; other: Tensor } {
  const { preferred, other, noise, timesteps, condition } = batch
  checkSamples('pairErrors', preferred, { other, noise })
  const count = preferred.shape[0] ?? 0
  // Preferred and other rows in one forward pass of 2B.
  const x = concat([noised(preferred, batch), noised(other, batch)]) // [2B, ...]
  const target = concat([targetOf('pairErrors', preferred, batch), targetOf('pairErrors', other, batch)])
  const prediction = denoise(x, concat([timesteps, timesteps]), joinConditions(condition, condition))
  const error = squaredErrors('pairErrors', prediction, target).reshape([2 * count, -1]).mean({ axes: 1 })
  return { preferred: error.slice(0, 0, count), other: error.slice(0, count) }
}
