import { type Backend, Tensor, zeros } from '@antipode/core'
import { type ImageInput, preprocessImages, preprocessMasks } from '../images/index.ts'
import type { GenerateOptions, PreparedOptions } from '../request/index.ts'

/** Options whose images are tensors, and those of the tensors that are the run's to dispose. */
export interface Prepared<O> {
  readonly options: O & PreparedOptions
  readonly made: readonly Tensor[]
}

/**
 * Pictures as tensors: an image in [0, 1], a mask of 0 and 1, both of the size that is asked for, or of the image's
 * own.
 */
export async function prepared<O extends GenerateOptions>(
  device: Backend,
  { image, mask, ipAdapter, ...rest }: O,
  multiple: number,
): Promise<Prepared<O>> {
  const { height, width } = rest
  const size = { multiple, ...(height === undefined ? {} : { height }), ...(width === undefined ? {} : { width }) }
  const pixels = image === undefined || image instanceof Tensor ? image : await unit(device, image, size)
  const [, , tall = height, wide = width] = pixels?.shape ?? []
  const covering =
    mask === undefined || mask instanceof Tensor
      ? mask
      : preprocessMasks(device, mask, { ...size, ...(tall ? { height: tall } : {}), ...(wide ? { width: wide } : {}) })
  const shown = ipAdapter && (ipAdapter.image instanceof Tensor ? ipAdapter.image : await unit(device, ipAdapter.image, { multiple: 1 }))
  return {
    options: {
      ...rest,
      ...(shown ? { ipAdapter: { ...ipAdapter, image: shown } } : {}),
      ...(pixels ? { image: pixels } : {}),
      ...(covering ? { mask: covering } : {}),
    } as Prepared<O>['options'], // the images alone were replaced
    made: [pixels, covering, shown].filter((t) => t && t !== image && t !== mask && t !== ipAdapter?.image) as Tensor[],
  }
}

/** The same options with zeros for images, for plans: of the sizes that {@link prepared} gives them. */
export function unprepared<O extends GenerateOptions>(
  device: Backend,
  { image, mask, ipAdapter, ...rest }: O,
  multiple: number,
): O & PreparedOptions {
  const own = image === undefined || image instanceof Tensor ? undefined : [image].flat()
  const side = (of: 'height' | 'width'): number => {
    const pixels = rest[of] ?? own?.[0]?.[of] ?? (image instanceof Tensor ? image.shape[of === 'height' ? 2 : 3] : 0) ?? 0
    return pixels - (pixels % multiple)
  }
  const pixels = own ? zeros(device, [own.length, 3, side('height'), side('width')]) : image
  const covering = mask === undefined || mask instanceof Tensor ? mask : zeros(device, [1, 1, side('height'), side('width')])
  return {
    ...rest,
    ...(ipAdapter ? { ipAdapter: { ...ipAdapter, image: unseen(device, ipAdapter.image) } } : {}),
    ...(pixels ? { image: pixels } : {}),
    ...(covering ? { mask: covering } : {}),
  } as O & PreparedOptions // the images alone were replaced
}

/** Zeros of the size of images. */
function unseen(device: Backend, image: ImageInput): Tensor {
  if (image instanceof Tensor) return image
  const all = [image].flat()
  return zeros(device, [all.length, 3, all[0]?.height ?? 0, all[0]?.width ?? 0])
}

async function unit(device: Backend, image: ImageInput, size: object): Promise<Tensor> {
  using signed = await preprocessImages(device, image, size)
  const pixels = signed.mul(0.5).add(0.5)
  await device.evaluate([pixels])
  return pixels
}
