import type { Tensor } from '@antipode/core'
import type { Reward } from '@antipode/npo'
import { clipCosine, type ClipTowers } from './clip-towers.ts'

/**
 * How well pictures show their prompts: 100·cos of their embeddings by any CLIP, about 20 to 35. Conditions are token
 * ids, i32 `[B, N]`. With gradients to the pixels.
 * Source: Hessel et al. 2021, CLIPScore, arXiv 2104.08718, in the unit of torchmetrics. There it is cut off at 0, which
 * is not done here: below it there would be no gradient.
 */
export function clipReward(towers: ClipTowers): Reward<Tensor> {
  return (images, ids) => clipCosine('clipReward', towers, images, ids).mul(100)
}
