import { atLeast, between, checkOptions, required } from '@antipode/core/options'
import type { GuidancePoint, Guider } from './guider.ts'

/** Options of {@link perturbed}: as other guiders, it acts where all that are given allow it. */
export interface PerturbedOptions {
  /** s ≥ 0, finite: how far to move away from the perturbed prediction; at 0 its branch is not run. */
  readonly scale: number
  /** Share of the run's calls, in [0, 1]: acts after the call that it falls on. Without it, from the first call on. */
  readonly start?: number
  /** Share of the run's calls, in [0, 1], not below `start`: acts before the call that it falls on; 1 by default. */
  readonly stop?: number
}

/**
 * A guider of two predictions, and beside it a third one to move away from, `e = guider(e_pos, e_neg) + s·(e_pos −
 * e_pert)`: perturbed-attention (PAG), smoothed-energy (SEG) and skip-layer (SLG) guidance and autoguidance, by what the
 * `perturbed` branch of {@link guided} is. Where the inner guider does not act, e_pos stands for its result.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: Ahn et al. 2024, arXiv 2403.17377, eq. 15; Hong 2024, arXiv 2408.00760; Karras et al. 2024, arXiv 2406.02507.
 * Shares are cut to whole calls as in diffusers' `skip_layer_guidance.py`, whose `start` of 0 leaves the first call out.
 */
export function perturbed(guider: Guider, options: PerturbedOptions): Guider {
  checkOptions('perturbed', options, { scale: required(atLeast(0)), start: between(0, 1), stop: between(0, 1) })
  const { scale, start, stop = 1 } = options
  const acts = ({ step, steps }: GuidancePoint): boolean =>
    scale !== 0 && (start === undefined || step > Math.floor(start * steps)) && step < Math.floor(stop * steps)
  return {
    active: (at) => guider.active(at),
    perturbs: (at) => acts(at) || guider.perturbs?.(at) === true,
    guide(predictions, call) {
      const inner = guider.active(call) || guider.perturbs?.(call)
        ? guider.guide(predictions, call)
        : { prediction: predictions.positive, state: call.state }
      const { positive, perturbed: worse } = predictions
      if (!worse || !acts(call)) return inner
      return { ...inner, prediction: inner.prediction.add(positive.sub(worse).mul(scale)) }
    },
  }
}
