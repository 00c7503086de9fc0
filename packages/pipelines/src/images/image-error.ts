import { AntipodeError } from '@antipode/core'

/** A file is no image, or none of a kind that is read here. */
export class ImageError extends AntipodeError {
  override readonly name = 'ImageError'
  override readonly code = 'IMAGE'
}
