import { constant, linear, ShapeError, type Tensor } from '@antipode/core'
import { checkOptions, whole } from '@antipode/core/options'
import type { Condition, Reward } from '@antipode/npo'
import { checkPictures } from './resize.ts'

/** Options of {@link compressibilityReward}. */
export interface CompressibilityOptions {
  /** Of the JPEG that is estimated, whole, 1 to 100; 95 by default, as DDPO has it. */
  readonly quality?: number
}

/** Pixels a side of a block. */
const block = 8

// Steps of quality 50 for brightness and colours, ITU-T T.81, tables K.1 and K.2.
const brightness = [
  16, 11, 10, 16, 24, 40, 51, 61,
  12, 12, 14, 19, 26, 58, 60, 55,
  14, 13, 16, 24, 40, 57, 69, 56,
  14, 17, 22, 29, 51, 87, 80, 62,
  18, 22, 37, 56, 68, 109, 103, 77,
  24, 35, 55, 64, 81, 104, 113, 92,
  49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
]
const colours = [
  17, 18, 24, 47, 99, 99, 99, 99,
  18, 21, 26, 66, 99, 99, 99, 99,
  24, 26, 56, 99, 99, 99, 99, 99,
  47, 66, 99, 99, 99, 99, 99, 99,
  ...Array<number>(32).fill(99),
]

/** R, G and B in [0, 1] as Y, Cb and Cr in bytes, without the offset (JFIF). */
const toYCbCr = [0.299, 0.587, 0.114, -0.168736, -0.331264, 0.5, 0.5, -0.418688, -0.081312].map((v) => 255 * v)

/** The cosine transform of type II of 8 numbers, orthonormal. */
const cosines = Array.from({ length: block * block }, (_, i) => {
  const [frequency, place] = [Math.floor(i / block), i % block]
  const norm = Math.sqrt((frequency === 0 ? 1 : 2) / block)
  return norm * Math.cos((2 * place + 1) * frequency * Math.PI / (2 * block))
})

/**
 * How few bits a pixel pictures `[B, 3, H, W]` in [0, 1] take as JPEG, negated, whatever they were asked to show; turn
 * its sign, by a weight in `mixture`, to ask for detail. The size of a file has no gradient, so bits are estimated:
 * −Σ ½·log₂(1 + (c/q)²)/(H·W) over the coefficients c of 8×8 cosine transforms of Y, Cb and Cr and their steps q of
 * quantisation. The mean of a block, which JPEG tells by its difference from the last, is left out, and colours keep
 * their full size. It ranks pictures much as sizes of files do, and is none of them. With gradients to the pixels.
 * Sources: Black et al. 2023, DDPO, arXiv 2305.13301 (the reward, by file sizes in kB); ITU-T T.81; steps by quality as
 * libjpeg has them.
 * @throws {ConfigError} if the option is outside its range
 * @throws {ShapeError} when it scores, unless there are pictures of three colours whose sides are multiples of 8
 */
export function compressibilityReward(options: CompressibilityOptions = {}): Reward<Condition> {
  checkOptions('compressibilityReward', options, { quality: whole(1, 100) })
  const { quality = 95 } = options
  const inverse = [brightness, colours, colours].flatMap((table) => stepsAt(table, quality).map((step) => 1 / step))
  return (images) => {
    checkPictures('compressibilityReward', images, 3)
    const [batch = 1, , height = 0, width = 0] = images.shape
    if (height % block || width % block) {
      const got = `[${images.shape.join()}]`
      throw new ShapeError(`compressibilityReward: expected sides of multiples of ${block}, got ${got}; resize them`)
    }
    const given = (values: readonly number[], ...shape: number[]): Tensor => constant(images.device, values, shape)
    const transform = given(cosines, block, block)
    const pixels = linear(images.to('f32').permute([0, 2, 3, 1]), given(toYCbCr, 3, 3)) // [B, H, W, 3]
    const blocks = pixels.reshape([batch, height / block, block, width / block, block, 3]).permute([0, 1, 3, 5, 2, 4])
    const across = linear(blocks, transform).transpose() // [B, H/8, W/8, 3, frequency, place]
    const coefficients = linear(across, transform).transpose() // [B, H/8, W/8, 3, frequency down, frequency across]
    const bits = coefficients.mul(given(inverse, 3, block, block)).square().add(1).log()
    const varying = given(cosines.map((_, i) => (i === 0 ? 0 : 1)), block, block)
    return bits.mul(varying).sum({ axes: [1, 2, 3, 4, 5] }).mul(-0.5 / Math.LN2 / (height * width)) // [B]
  }
}

/** A table's steps at a quality, as libjpeg scales them. */
function stepsAt(table: readonly number[], quality: number): number[] {
  const percent = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality
  return table.map((step) => Math.min(255, Math.max(1, Math.floor((step * percent + 50) / 100))))
}
