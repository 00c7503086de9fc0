import type { Tensor } from '@antipode/core'
import { checkOptions, oneOf } from '@antipode/core/options'
import type { Reward } from '@antipode/npo'
import type { ClipImagesOptions } from './clip-images.ts'
import { clipCosine, type ClipTowers } from './clip-towers.ts'

/** Options of {@link hpsReward}. */
export interface HpsOptions {
  /** How pictures become square: `pad`, the default, as they are scored, or `stretch`, as VADER trains by the score. */
  readonly fit?: ClipImagesOptions['fit']
}

/**
 * The human preference score, v2 and v2.1: the cosine between the embeddings of pictures and prompts by an OpenCLIP
 * that was tuned on people's choices, about 0.2 to 0.35. Conditions are token ids, i32 `[B, N]`, ended and then padded
 * with 0. With gradients to the pixels.
 * Source: Wu et al. 2023, arXiv 2306.09341; tgxs002/HPSv2, HPS_v2.1_compressed (towers {@link clipViTH14}).
 * @throws {ConfigError} if the option is outside its range
 */
export function hpsReward(towers: ClipTowers, options: HpsOptions = {}): Reward<Tensor> {
  checkOptions('hpsReward', options, { fit: oneOf('crop', 'pad', 'stretch') })
  const { fit = 'pad' } = options
  return (images, ids) => clipCosine('hpsReward', towers, images, ids, { fit })
}
