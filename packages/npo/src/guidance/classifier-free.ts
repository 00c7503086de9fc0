import type { Tensor } from '@antipode/core'
import { atLeast, between, checkOptions, type Ranges, required } from '@antipode/core/options'
import type { Guider, Predictions } from './guider.ts'
import { rescaled } from './rescale.ts'

/** Options of {@link classifierFree}. */
export interface ClassifierFreeOptions {
  /** w ≥ 0, finite: 1 is the positive prediction alone, 0 the negative one. Diffusion-NPO writes w = ω + 1. */
  readonly scale: number
  /**
   * φ in [0, 1]: how far the result's standard deviation is drawn to the positive prediction's; 0, the default, leaves
   * it.
   */
  readonly rescale?: number
}

export const classifierFreeRanges: Ranges<ClassifierFreeOptions> = {
  scale: required(atLeast(0)), rescale: between(0, 1),
}

/** `e_neg + w·(e_pos − e_neg)`. */
export function extrapolated({ positive, negative }: Predictions, scale: number): Tensor {
  return negative.add(positive.sub(negative).mul(scale))
}

/**
 * Classifier-free guidance, `e = e_neg + w·(e_pos − e_neg)` (Ho & Salimans 2022, arXiv 2207.12598), with the rescaling
 * of Lin et al. 2023 (arXiv 2305.08891, eq. 15–16).
 * @throws {ConfigError} if an option is unknown or outside its range
 */
export function classifierFree(options: ClassifierFreeOptions): Guider {
  checkOptions('classifierFree', options, classifierFreeRanges)
  const { scale, rescale = 0 } = options
  return {
    active: () => scale !== 1,
    guide(predictions, { state }) {
      return { prediction: rescaled(extrapolated(predictions, scale), predictions.positive, rescale), state }
    },
  }
}
