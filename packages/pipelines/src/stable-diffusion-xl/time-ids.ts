import { constant, type Tensor } from '@antipode/core'
import type { Request } from '../request/index.ts'

/** Two whole numbers: height and width, or top and left, in pixels. */
export type Pair = readonly [number, number]

/** What a UNet of SDXL is told about sizes (Podell et al. 2023, arXiv 2307.01952, section 2.2). */
export interface SizeOptions {
  /**
   * Size of the picture before it was scaled, `[height, width]`; that of the output by default. Small ones look
   * upscaled.
   */
  readonly originalSize?: Pair
  /** Where the picture was cut out, `[top, left]`; the corner by default, which gives well-centred pictures. */
  readonly cropTopLeft?: Pair
  /** `[height, width]`; that of the output by default. */
  readonly targetSize?: Pair
  /** The same of the negative branch; as in the positive one by default. */
  readonly negativeOriginalSize?: Pair
  /** The corner by default where both other negative sizes are given. */
  readonly negativeCropTopLeft?: Pair
  readonly negativeTargetSize?: Pair
  /** How much people like the picture, about 1 to 10, of refiners: 6 by default. */
  readonly aestheticScore?: number
  /** 2.5 by default. */
  readonly negativeAestheticScore?: number
}

/** Ids of both branches, each `[rows, 5 or 6]`: original size and crop, then the aesthetic score or the target size. */
export function timeIds(
  options: SizeOptions,
  { height, width, rows }: Request,
  device: Tensor['device'],
  aesthetic: boolean,
): { readonly positive: Tensor; readonly negative: Tensor } {
  const size: Pair = [height, width]
  const {
    originalSize = size,
    cropTopLeft = [0, 0],
    targetSize = size,
    aestheticScore = 6,
    negativeAestheticScore = 2.5,
  } = options
  const { negativeOriginalSize = originalSize, negativeTargetSize = targetSize } = options
  const own = options.negativeOriginalSize !== undefined && options.negativeTargetSize !== undefined
  const { negativeCropTopLeft = own ? [0, 0] : cropTopLeft } = options
  const ids = (original: Pair, crop: Pair, target: Pair, score: number): Tensor => {
    const row = [...original, ...crop, ...(aesthetic ? [score] : target)]
    return constant(device, row, [1, row.length]).expand([rows, row.length])
  }
  return {
    positive: ids(originalSize, cropTopLeft, targetSize, aestheticScore),
    negative: ids(negativeOriginalSize, negativeCropTopLeft, negativeTargetSize, negativeAestheticScore),
  }
}
