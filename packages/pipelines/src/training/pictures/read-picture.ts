import { AntipodeError } from '@antipode/core'
import { decodeImage, type Pixels } from '../../images/index.ts'
import { DatasetError } from '../pairs/index.ts'

/**
 * The pixels of a picture's file, PNG or JPEG. @param where the row that it belongs to
 * @throws {DatasetError} if it is damaged, or of another kind
 */
export async function readPicture(where: string, file: Uint8Array<ArrayBuffer>): Promise<Pixels> {
  try {
    return await decodeImage(file)
  } catch (cause) {
    if (!(cause instanceof AntipodeError)) throw cause
    throw new DatasetError(where, `${cause.message}; or leave out the row`, { cause })
  }
}
