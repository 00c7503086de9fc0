import { type Direction, dtypeOf, type Geometry } from '../../../conv2d/index.ts'
import type { Problem, Target } from '../../../op.ts'
import type { PackedKernel } from '../../contract.ts'
import { channels4Texels, packChannels4 } from '../../operands/index.ts'
import { texelsFit, tilesPay } from '../../packing-cost.ts'
import { product } from '../../product/index.ts'
import { transformResults } from './results.ts'
import { positions, taps } from './scheme.ts'
import { transformTaps } from './taps.ts'
import { transformTiles } from './tiles.ts'
import { productTexels, tapTexels, tileTexels, tilingOf } from './tiling.ts'

/**
 * A convolution of 3×3 that moves by single pixels, or the gradient of its input, by tiles: F(4×4, 3×3) of Lavin & Gray 2015
 * (https://arxiv.org/abs/1509.09308). Undefined where it does not pay, see {@link tilesPay}.
 *
 * Idea: filters and overlapping tiles of 6×6 are transformed, so that 4×4 pixels of a filter and a channel take 36 multiply-adds
 * in place of 144, as 36 products of matrices with tiles as columns; what these sum is transformed back. Everything between lies in
 * textures, four values a texel, since llvmpipe compiles and reads buffers slowly. Of 320 channels of 32×32, packed, F(2×2, 3×3)
 * took 14.3 ms by the same kernels, where this takes 8.6. A product that transforms back at once, without a texture of products,
 * took 8.4 with 8 rows and 8.6 with 16, and one to four seconds to compile.
 *
 * Time of the implicit product over that of tiles on two cores, filters packed each time / kept packed, for as many filters as
 * channels (pixels a side × images); in brackets where the implicit product stays.
 * Beside other work on the same cores the gains of 96 and 128 channels were some tenths less:
 *
 *           8×1         8×2         16×1        16×2        32×1        32×2        64×1        64×2
 *   32   (0.2/0.3)   (0.4/0.5)   (0.5/0.5)   (0.7/0.7)   (0.6/0.6)   (0.7/0.8)   (0.6/0.6)   (0.6/0.7)
 *   64   (0.4/0.4)   (0.5/0.5)   (0.6/0.7)   (0.7/0.9)   (0.8/0.9)   (1.1/1.2)   (1.1/1.1)   (1.0/1.0)
 *   96                                                               (1.0/1.1)    1.1/1.2
 *  128   (0.3/0.4)   (0.6/0.7)   (0.8/0.9)   (0.9/1.3)   (1.4/1.6)    1.6/1.7     1.6/1.7     1.5/1.6
 *  320   (0.4/0.4)   (0.5/0.8)   (0.9/1.4)    1.5/2.5     1.6/2.3     1.8/2.2     2.1/2.2     2.1/2.2
 *  640   (0.3/0.4)   (0.5/0.8)   (0.8/1.5)    1.4/2.8     1.8/2.6     2.3/2.9
 * 1280   (0.3/0.4)   (0.5/0.9)   (0.9/1.7)   (1.6/3.1)
 *
 * Sums of a tile's pixels are taken before they meet their filters: a pixel of NaN or ∞ makes NaN of all 4×4 results of the tiles that
 * read it, where a direct convolution gives NaN or ∞ in the 3×3 around it. None of those becomes finite.
 *
 * Transformed filters take four times the memory of packed ones, those of 1280 channels more than is allowed. Results of 320
 * channels differ from the implicit product's by 2e-6 of the largest, of 640 by 4e-6.
 */
export function winograd(label: Direction, problem: Problem, g: Geometry, target: Target): PackedKernel[] | undefined {
  if (g.kernelHeight !== taps || g.kernelWidth !== taps || g.stride.some((n) => n !== 1)) return undefined
  const t = tilingOf(label, dtypeOf(problem), g, target)
  const work = { rows: t.rows, channels: t.channels, batch: t.groups, pixels: t.images * t.outHeight * t.outWidth, tiles: t.tiles, positions }
  const images = { label, dtype: t.dtype, input: 0, texture: 0, groups: t.groups, channels: t.channels, images: t.images, pixels: t.height * t.width } as const
  const [pixels, a, b, results] = [channels4Texels(images), tapTexels(t), tileTexels(t), productTexels(t)] as const
  if (!tilesPay(work, target) || !texelsFit(target, pixels + 1, a, b, results)) return undefined
  const batch = t.groups * positions
  return [
    packChannels4(images, target),
    transformTaps(t, target),
    transformTiles(t, pixels, target),
    { share: 1, ...product({
      label, problem, rows: t.rows, cols: t.tiles, batch, outer: 1, inner: t.fours,
      a: { texture: 1, texels: a, batch: a / batch },
      b: { texture: 2, texels: b, offset: 0, batch: b / batch, steps: [0, 0, 1], turnRadix: 1, turns: [0, 0], step: t.tiles },
      columns: { radix: [1, t.tiles] },
      out: { texture: 3, texels: results },
    }, target) },
    transformResults(t, problem, target),
  ]
}
