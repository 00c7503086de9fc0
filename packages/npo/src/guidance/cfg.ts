import { checkOptions } from '@antipode/core/options'
import type { Condition, Denoiser } from '../denoiser.ts'
import { classifierFree, type ClassifierFreeOptions, classifierFreeRanges } from './classifier-free.ts'
import { branchRanges, type Branches, predictionsOf } from './guided.ts'

/** Classifier-free guidance between two denoisers. */
export interface CfgOptions<C extends Condition> extends Branches<C>, ClassifierFreeOptions {}

/**
 * `e = e_neg + w·(e_pos − e_neg)` (Ho & Salimans 2022; with `negative` trained on what people do not want, this is
 * Diffusion-NPO, arXiv 2505.11245): {@link classifierFree} as a denoiser, which depends on nothing but its arguments
 * and can be a branch again. Branches that are one and the same denoiser are one pass of twice the batch, others are
 * two passes. At w = 1 the negative branch is not run and the result is exactly the positive prediction.
 * @throws {ConfigError} if an option is unknown, or outside its range
 */
export function cfg<C extends Condition>(options: CfgOptions<C>): Denoiser<C> {
  checkOptions('cfg', options, { ...branchRanges, ...classifierFreeRanges })
  const { scale, rescale, ...branches } = options
  const guider = classifierFree({ scale, ...(rescale === undefined ? {} : { rescale }) })
  if (scale === 1) return branches.positive
  const anywhere = { step: 0, steps: 1, sigma: 1, nextSigma: 0, state: {} }
  return (x, timesteps, condition) => {
    const predictions = predictionsOf('cfg', branches, x, timesteps, condition)
    return guider.guide(predictions, anywhere).prediction
  }
}
