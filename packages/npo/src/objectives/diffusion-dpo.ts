import { concat, ConfigError, logSigmoid, ShapeError, stopGradient, type Tensor } from '@antipode/core'
import { type Condition, type Denoiser, joinConditions } from '../denoiser.ts'
import type { Objective } from './objective.ts'
import { type PairBatch, pairObjective } from './pairs.ts'

/** Options of {@link diffusionDpo}. */
export interface DiffusionDpoOptions {
  /**
   * Strength of the pull to the reference, in the unit of the paper's released code: the logit is `−(β/2)·(D − D_ref)`
   * with D a difference of *mean* squared errors. 2000–5000 for latent models. Scripts that leave the ½ out (diffusers'
   * LoRA script for SD1.5, Diffusion-NPO's `train_sd15.py`) mean half as much: their 500 is 1000 here.
   */
  readonly beta: number
}

/**
 * Diffusion-DPO (Wallace et al. 2023, arXiv 2311.12908, eq. 14): with m(x) the mean squared error of predicting the
 * noise in x, `D = m(preferred) − m(other)` of the model and `D_ref` of the reference, the loss is
 * `mean −log σ(−(β/2)·(D − D_ref))`. One timestep and one noise are shared by both images and both networks.
 *
 * Metrics: `accuracy` (share of pairs ranked right, ties ½), `error` (mean m of the model: above about 1.2 the model
 * has collapsed, whatever the accuracy says) and `referenceError`.
 * @throws {ConfigError} unless β is positive and finite
 */
export function diffusionDpo<C extends Condition>({ beta }: DiffusionDpoOptions): Objective<PairBatch<C>, C> {
  if (!(beta > 0 && beta < Infinity)) {
    throw new ConfigError(`diffusionDpo: expected a positive, finite beta, got ${beta}; try 2000`)
  }
  return pairObjective('diffusion-dpo', ({ model, reference }, batch) => {
    const own = pairErrors(model, batch)
    const frozen = pairErrors(reference, batch)
    const margin = own.preferred.sub(own.other).sub(stopGradient(frozen.preferred.sub(frozen.other)))
    const logit = margin.mul(-beta / 2)
    const right = stopGradient(logit).sign().add(1).mul(0.5)
    return {
      loss: logSigmoid(logit).mean().neg(),
      metrics: {
        accuracy: right.mean(),
        error: stopGradient(own.preferred.add(own.other).mul(0.5).mean()),
        referenceError: stopGradient(frozen.preferred.add(frozen.other).mul(0.5).mean()),
      },
    }
  })
}

/**
 * Mean squared error of the predicted noise of every sample of a batch's two halves, each `[B]`.
 * @throws {ShapeError} unless samples and noise have one shape
 */
export function pairErrors<C extends Condition>(
  denoise: Denoiser<C>,
  batch: PairBatch<C>,
): { preferred: Tensor; other: Tensor } {
  const { preferred, other, noise, signal, sigma, timesteps, condition } = batch
  for (const t of [other, noise]) {
    if (t.shape.join() === preferred.shape.join()) continue
    const got = `[${preferred.shape.join()}] and [${t.shape.join()}]`
    throw new ShapeError(`pairErrors: expected both samples of a pair and their noise in one shape, got ${got}; resize first`)
  }
  const count = preferred.shape[0] ?? 0
  const noised = (x: Tensor): Tensor => x.mul(signal).add(noise.mul(sigma))
  // Preferred and other rows in one forward pass of 2B.
  const x = concat([noised(preferred), noised(other)]) // [2B, ...]
  const prediction = denoise(x, concat([timesteps, timesteps]), joinConditions(condition, condition))
  const error = prediction.sub(concat([noise, noise])).square().reshape([2 * count, -1]).mean({ axes: 1 })
  return { preferred: error.slice(0, 0, count), other: error.slice(0, count) }
}
