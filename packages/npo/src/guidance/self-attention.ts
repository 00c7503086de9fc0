import { arange, constant, gaussianBlur, type Tensor } from '@antipode/core'
import {
  atLeast, callable, checkOptions, oneOf, positive, type Ranges, required,
} from '@antipode/core/options'
import type { ModelPrediction } from '@antipode/schedulers'
import type { Condition, Denoiser } from '../denoiser.ts'
import { type PredictedLevels, predictedNoise } from '../process/index.ts'
import type { Perturbation } from './guided.ts'
import type { GuidancePoint, Guider } from './guider.ts'

/** Options of {@link selfAttentionGuidance}. */
export interface SelfAttentionGuidanceOptions {
  /** s ≥ 0, finite; 0.75 by default. At 0 its branch is not run. */
  readonly scale?: number
}

/** Options of {@link blurredWhereAttended}. */
export interface BlurredOptions<C extends Condition> {
  /** The negative branch: with a negative model, that one. */
  readonly model: Denoiser<C>
  readonly unconditional: (condition: C) => C
  /** How much attention the model's pixels receive, `[B,1,h,w]` of mean 1, as `receivedAttention` of @antipode/models gives it. */
  readonly attention: Denoiser<C>
  /** What the model predicts. */
  readonly predicts: ModelPrediction
  /** Pixels that receive more are blurred, 0 or more; 1, the mean, by default. */
  readonly threshold?: number
  /** Deviation of the blur in pixels, above 0; 1 by default, in a kernel of 9. */
  readonly sigma?: number
}

const ranges: Ranges<BlurredOptions<Condition>> = {
  model: required(callable), unconditional: required(callable), attention: required(callable),
  predicts: required(oneOf('epsilon', 'v_prediction', 'sample', 'flow_prediction')), threshold: atLeast(0), sigma: positive,
}

/**
 * Self-attention guidance (SAG): a guider of two predictions, and beside it guidance away from what the negative branch
 * predicts where the sample is blurred, `e = guider(e_pos, e_neg) + s·(e_neg − e_blurred)`. The perturbed branch of {@link
 * guided} is {@link blurredWhereAttended}.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: Hong et al. 2022, arXiv 2210.00939, eq. 15 and 25.
 */
export function selfAttentionGuidance(guider: Guider, options: SelfAttentionGuidanceOptions = {}): Guider {
  checkOptions('selfAttentionGuidance', options, { scale: atLeast(0) })
  const { scale = 0.75 } = options
  return {
    active: (at) => scale !== 0 || guider.active(at),
    perturbs: () => scale !== 0,
    guide(predictions, call) {
      const { positive: towards, negative, perturbed: blurred } = predictions
      const inner = guider.active(call) ? guider.guide(predictions, call) : { prediction: towards, state: call.state }
      return blurred ? { ...inner, prediction: inner.prediction.add(negative.sub(blurred).mul(scale)) } : inner
    },
  }
}

/**
 * What the negative branch predicts of a sample that is blurred where its own attention goes: of x_t = α·x₀ + σ·ε, as the
 * negative prediction has them, x₀ is blurred in those pixels and ε stays. Costs a pass, and what of one leads to the
 * attention.
 * @throws {ConfigError} if an option is unknown, missing or outside its range
 * Source: Hong et al. 2022, arXiv 2210.00939, eq. 14–16; diffusers `pipeline_stable_diffusion_sag.py`.
 */
export function blurredWhereAttended<C extends Condition>(options: BlurredOptions<C>): Perturbation<C> {
  checkOptions('blurredWhereAttended', options, ranges as Ranges<BlurredOptions<C>>)
  const { model, unconditional, attention, predicts, threshold = 1, sigma = 1 } = options
  return (x, timesteps, condition, { predictions, point }) => {
    const empty = unconditional(condition)
    const mask = nearest(attention(x, timesteps, empty).gt(threshold).to('f32'), x.shape)
    const levels = levelsOf(x, point, predicts)
    // α·x₀, which needs no division by the signal, of which there may be none.
    const signal = x.to('f32').sub(predictedNoise(predictions.negative, x, levels).mul(levels.sigma))
    const change = gaussianBlur(signal, { sigma, size: 9 }).sub(signal).mul(mask)
    return model(x.to('f32').add(change).to(x.dtype), timesteps, empty)
  }
}

/** Signal and noise of what a model is given, from their ratio. */
function levelsOf({ device, rank }: Tensor, { sigma }: GuidancePoint, predictionType: ModelPrediction): PredictedLevels {
  const flow = predictionType === 'flow_prediction'
  const share = (ratio: number): Tensor =>
    constant(device, [flow ? 1 / (1 + ratio) : 1 / Math.hypot(1, ratio)], Array<number>(rank).fill(1))
  return { predictionType, alpha: share(sigma), sigma: share(1 / sigma) }
}

/** Images `[B,1,h,w]` at the size of others `[B,C,H,W]`, each pixel that of the nearest to its upper left. */
function nearest(images: Tensor, [, , height = 1, width = 1]: readonly number[]): Tensor {
  const [rows, columns] = images.shape.slice(2) as [number, number]
  return picks(images, height, rows).matmul(images).matmul(picks(images, width, columns), { transposeB: true })
}

/** Which of n pixels each of m shows, `[m, n]`. */
function picks({ device }: Tensor, m: number, n: number): Tensor {
  // Half a pixel more than torch's ⌊i·n/m⌋ keeps quotients that are whole from being rounded down.
  const shown = arange(device, m).mul(n).add(0.5).div(m).floor()
  return shown.unsqueeze(1).eq(arange(device, n)).to('f32')
}
