import { type Backend, ShapeError, Tensor, tensor } from '@antipode/core'
import { checkOptions, type Ranges, whole } from '@antipode/core/options'
import { lanczos } from './lanczos.ts'
import { luma, type PixelSource, rgbOf } from './pixels.ts'
import { resizeNearest } from './resize-nearest.ts'

/** What size images become. */
export interface PreprocessOptions {
  /** In pixels, of which a multiple of `multiple` is taken; by default those of the first image. */
  readonly height?: number
  readonly width?: number
  /** What sides are rounded down to a multiple of: pixels for a latent, 8 by default. */
  readonly multiple?: number
}

const ranges: Ranges<PreprocessOptions> = { height: whole(1), width: whole(1), multiple: whole(1) }

/** Images of one call: one, several, or a batch that is a tensor already. */
export type ImageInput = PixelSource | readonly PixelSource[] | Tensor

/**
 * Images as a model takes them, `[B, 3, H, W]` f32 in [−1, 1]. Pixels are resized by {@link lanczos}; a tensor
 * `[B, 3, H, W]` in [0, 1] is resized to the nearest, and one with a number below 0 is taken to be in [−1, 1] already.
 * Source: diffusers' `VaeImageProcessor.preprocess`.
 * @throws {ShapeError} if something is no image, or smaller than `multiple` @throws {ConfigError} if an option is none
 */
export async function preprocessImages(
  device: Backend,
  images: ImageInput,
  options: PreprocessOptions = {},
): Promise<Tensor> {
  const where = 'preprocessImages'
  checkOptions(where, options, ranges)
  if (!(images instanceof Tensor)) return batch(device, where, { images: listOf(images), options, ...signed })
  const sized = resized(where, images, 3, options)
  return await images.min().item() < 0 ? sized : sized.mul(2).sub(1)
}

/**
 * Masks as inpainting takes them, `[B, 1, H, W]` f32: 1 where an image is to be painted anew, 0 elsewhere. Pixels are
 * resized by {@link lanczos} and as light as half or more to be 1; so are those of a tensor `[B, 1, H, W]`, which is
 * resized to the nearest. For latents, see {@link resizeNearest}.
 * Source: diffusers' `VaeImageProcessor` with `do_binarize`.
 * @throws {ShapeError} if something is no mask, or smaller than `multiple` @throws {ConfigError} if an option is none
 */
export function preprocessMasks(device: Backend, masks: ImageInput, options: PreprocessOptions = {}): Tensor {
  const where = 'preprocessMasks'
  checkOptions(where, options, ranges)
  if (!(masks instanceof Tensor)) return batch(device, where, { images: listOf(masks), options, ...binary })
  return resized(where, masks, 1, options).ge(0.5)
}

/** How images become numbers. */
interface Reading {
  readonly channels: 1 | 3
  /** Numbers of a channel from its bytes. */
  readonly number: (byte: number) => number
}

const signed: Reading = { channels: 3, number: (byte) => 2 * Math.fround(byte / 255) - 1 }
const binary: Reading = { channels: 1, number: (byte) => (byte / 255 >= 0.5 ? 1 : 0) }

function batch(
  device: Backend,
  where: string,
  { images, options, channels, number }: Reading & { images: readonly PixelSource[]; options: PreprocessOptions },
): Tensor {
  const [first] = images
  if (!first) throw new ShapeError(`${where}: expected at least one image, got none`)
  const { height, width } = sizeOf(where, first, options)
  const numbers = Float32Array.from({ length: 256 }, (_, byte) => number(byte))
  const all = new Float32Array(images.length * channels * height * width)
  images.forEach((image, k) => {
    const rgb = { data: rgbOf(where, image), width: image.width, height: image.height, channels: 3 }
    const sized = lanczos(rgb, width, height)
    const bytes = channels === 3 ? sized.data : luma(where, sized)
    const plane = height * width
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < plane; i++) {
        all[(k * channels + c) * plane + i] = numbers[bytes[i * channels + c] as number] as number
      }
    }
  })
  return tensor(device, all, [images.length, channels, height, width])
}

function resized(where: string, x: Tensor, channels: number, options: PreprocessOptions): Tensor {
  const [, own, height = 0, width = 0] = x.shape
  if (x.rank !== 4 || own !== channels || x.size === 0) {
    throw new ShapeError(`${where}: expected a tensor [B,${channels},H,W], got [${x.shape.join()}]`)
  }
  const size = sizeOf(where, { height, width }, options)
  return resizeNearest(x.to('f32'), size.height, size.width)
}

interface Size {
  readonly height: number
  readonly width: number
}

function sizeOf(where: string, own: Size, options: PreprocessOptions): Size {
  const { height = own.height, width = own.width, multiple = 8 } = options
  if (height < multiple || width < multiple) {
    throw new ShapeError(`${where}: expected sides of ${multiple} pixels or more, got ${width}×${height}`)
  }
  return { height: height - height % multiple, width: width - width % multiple }
}

function listOf(images: PixelSource | readonly PixelSource[]): readonly PixelSource[] {
  return 'data' in images ? [images] : images
}
