import { ShapeError, type Tensor } from '@antipode/core'
import { checkOptions, flag, type Ranges } from '@antipode/core/options'
import type { Pixels } from './pixels.ts'

/** Of what range numbers of images are. */
export interface PostprocessOptions {
  /** Whether they are in [−1, 1] as an autoencoder gives them, the default, or in [0, 1] already. */
  readonly denormalize?: boolean
}

const ranges: Ranges<PostprocessOptions> = { denormalize: flag }

/**
 * A batch of images `[B, 3, H, W]`, or grey ones `[B, 1, H, W]`, as RGBA: `x/2 + ½` held to [0, 1], times 255 and
 * rounded, halves to even. Source: diffusers' `VaeImageProcessor.postprocess`.
 * @throws {ShapeError} unless x is such a batch @throws {ConfigError} if an option is none
 */
export async function postprocessImages(x: Tensor, options: PostprocessOptions = {}): Promise<Pixels[]> {
  checkOptions('postprocessImages', options, ranges)
  const { denormalize = true } = options
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape
  if (x.rank !== 4 || (channels !== 3 && channels !== 1)) {
    throw new ShapeError(`postprocessImages: expected [B,3,H,W] or [B,1,H,W], got [${x.shape.join()}]`)
  }
  const unit = denormalize ? x.to('f32').mul(0.5).add(0.5) : x.to('f32')
  using shown = unit.clamp(0, 1).mul(255)
  const values = await shown.data()
  const plane = height * width
  return Array.from({ length: batch }, (_, b) => {
    const data = new Uint8ClampedArray(4 * plane).fill(255)
    for (let c = 0; c < 3; c++) {
      const start = (b * channels + (channels === 1 ? 0 : c)) * plane
      // Arrays of clamped bytes round halves to even.
      for (let i = 0; i < plane; i++) data[4 * i + c] = values[start + i] as number
    }
    return { data, width, height }
  })
}
