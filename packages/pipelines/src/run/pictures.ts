import { type Backend, Tensor } from '@antipode/core'
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

async function unit(device: Backend, image: ImageInput, size: object): Promise<Tensor> {
  using signed = await preprocessImages(device, image, size)
  const pixels = signed.mul(0.5).add(0.5)
  await device.evaluate([pixels])
  return pixels
}
