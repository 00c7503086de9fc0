import type { Tensor } from '@antipode/core'
import { checkOptions, finite } from '@antipode/core/options'
import type { Reward } from '@antipode/npo'
import { clipCosine, type ClipTowers } from './clip-towers.ts'

/** Options of {@link pickScoreReward}. */
export interface PickScoreOptions {
  /**
   * Logarithm of what the cosine is multiplied by, as the checkpoint's `logit_scale` has it; ln 100 by default, where
   * the training of CLIP holds it.
   */
  readonly logitScale?: number
}

/**
 * PickScore, what people preferred of Pick-a-Pic's pictures of a prompt: exp(logitScale)·cos of their embeddings by a
 * CLIP that was tuned on it, about 18 to 24. The softmax over pictures of one prompt is how likely each is preferred.
 * Conditions are token ids, i32 `[B, N]`. With gradients to the pixels.
 * Source: Kirstain et al. 2023, arXiv 2305.01569; yuvalkirstain/PickScore_v1 (towers {@link clipViTH14}).
 * @throws {ConfigError} if the option is outside its range
 */
export function pickScoreReward(towers: ClipTowers, options: PickScoreOptions = {}): Reward<Tensor> {
  checkOptions('pickScoreReward', options, { logitScale: finite })
  const scale = options.logitScale === undefined ? 100 : Math.exp(options.logitScale)
  return (images, ids) => clipCosine('pickScoreReward', towers, images, ids).mul(scale)
}
