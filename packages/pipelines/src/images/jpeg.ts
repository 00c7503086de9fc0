import { decode } from 'jpeg-js'
import { ImageError } from './image-error.ts'
import type { DecodedImage } from './png.ts'

/** What a file may ask for: a few bytes can ask for more than there is memory for. */
const limits = { maxResolutionInMP: 256, maxMemoryUsageInMB: 2048 }

/**
 * The pixels of a JPEG file, as they are stored whatever its Exif data says of how it was held. Within a few steps of
 * what other decoders give, where they do not smooth colours that are stored at half the size.
 * @throws {ImageError} if it is none, or damaged
 */
export function decodeJpeg(bytes: Uint8Array): DecodedImage {
  try {
    const { data, width, height } = decode(bytes, { ...limits, useTArray: true })
    return { data: new Uint8ClampedArray(data), width, height, text: {} }
  } catch (cause) {
    throw new ImageError(
      `decodeJpeg: expected a JPEG file that is whole, got one that is damaged (${String(cause)})`,
      { cause },
    )
  }
}
