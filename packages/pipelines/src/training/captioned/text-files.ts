import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatasetError } from '../pairs/index.ts'
import type { CaptionedPicture } from './captioned-picture.ts'

const picture = /^(.+)\.(?:png|jpe?g)$/i

/** Whether a folder has pictures by the names of its files. */
export function hasPictures(names: readonly string[]): boolean {
  return names.some((name) => picture.test(name))
}

/**
 * Pictures of a folder, each with its captions in a text file of its name: `cat.png` and `cat.txt`, a caption a line, in
 * order of names. @throws {DatasetError} if a picture has no captions
 */
export async function ofTextFiles(folder: string, names: readonly string[]): Promise<CaptionedPicture[]> {
  const found: CaptionedPicture[] = []
  for (const name of [...names].sort()) {
    const stem = picture.exec(name)?.[1]
    if (stem === undefined) continue
    const text = names.includes(`${stem}.txt`) ? await readFile(join(folder, `${stem}.txt`), 'utf8') : ''
    const captions = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '')
    if (captions.length === 0) {
      throw new DatasetError(name, `expected a caption in ${stem}.txt beside it, got none; write one, or remove the picture`)
    }
    found.push({ file: join(folder, name), captions, split: undefined, origin: name })
  }
  return found
}
