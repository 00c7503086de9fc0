import { concat, stopGradient, type Tensor, where } from '@antipode/core'
import { between, checkOptions } from '@antipode/core/options'
import type { Condition, Denoiser } from '../denoiser.ts'
import type { ModelNetwork, PreferenceObjective } from './objective.ts'
import { halves, type PairBatch, pairObjective, pairTargets } from './pairs.ts'

/** Options of {@link safeguarded}. */
export interface SafeguardOptions {
  /**
   * μ in [0, 1]: the share of its own slope that the chosen samples keep at least; 0.9 by default, as the paper has it
   * for Diffusion-DPO and DMPO on SD1.5 (0.6 on SDXL; 0.2 for DSPO).
   */
  readonly share?: number
}

/**
 * Diffusion-SDPO's safeguard (arXiv 2511.03317) on any objective of pairs: pushing a rejected sample's error up may not
 * undo the fit of the chosen one. The gradient of predictions for rejected samples is multiplied by `λ = clamp((1 −
 * μ)·‖g_w‖²/(g_w·g_l), 0, 1)`, or by 1 where g_w·g_l ≤ 0, with g the gradients of both mean squared errors by the
 * predictions; one λ for a batch. Loss and metrics stay as they are, to the bit. Negated, it protects the fit of the
 * rejected samples: it keeps a negative model from breaking.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source of the form: AIDC-AI/Diffusion-SDPO, train.py.
 */
export function safeguarded<C extends Condition, Networks extends ModelNetwork<C>>(
  objective: PreferenceObjective<PairBatch<C>, Networks>, options: SafeguardOptions = {},
): PreferenceObjective<PairBatch<C>, Networks> {
  checkOptions('safeguarded', options, { share: between(0, 1) })
  const { share = 0.9 } = options
  return pairObjective(`safeguarded ${objective.name}`, (networks, batch) => {
    const targets = pairTargets('safeguarded', batch)
    const model: Denoiser<C> = (...given) => {
      const prediction = networks.model(...given)
      // Of another shape, it is the objective's to refuse.
      if (prediction.shape.join() !== targets.shape.join()) return prediction
      const { chosen, rejected } = halves(prediction)
      return concat([chosen, scaledGradient(rejected, largestFactor(prediction, targets, share))])
    }
    return objective.evaluate({ ...networks, model }, batch)
  })
}

/** λ, one element, with no gradient. */
function largestFactor(prediction: Tensor, targets: Tensor, share: number): Tensor {
  const errors = stopGradient(prediction).to('f32').sub(targets)
  const { chosen, rejected } = halves(errors.mul(4 / errors.size)) // gradients of each half's mean square
  const [own, common] = [chosen.square().sum(), chosen.mul(rejected).sum()]
  const cap = own.mul(1 - share).div(common.add(1e-9)).minimum(1) // 1e-9 as in the released script
  return where(common.gt(0), cap, 1)
}

/** x, whose gradient is multiplied by a factor; its value is not touched. */
function scaledGradient(x: Tensor, factor: Tensor): Tensor {
  const value = stopGradient(x)
  return value.add(x.sub(value).mul(factor.to(x.dtype)))
}
