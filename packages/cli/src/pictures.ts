import { readFile } from 'node:fs/promises'
import { writeAtomically } from '@antipode/core/io'
import { decodeImage, type Pixels } from '@antipode/pipelines'

/** The pixels of an image file. @throws {ImageError | UnsupportedError} as `decodeImage` */
export async function readPicture(file: string): Promise<Pixels> {
  return await decodeImage(new Uint8Array(await readFile(file)))
}

/** Writes an image file, complete or not at all. @param command the command that writes it */
export async function writePicture(command: string, file: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  await writeAtomically(
    command,
    file,
    (async function* () {
      yield bytes
    })(),
  )
}
