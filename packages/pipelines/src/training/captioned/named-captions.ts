import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatasetError } from '../pairs/index.ts'
import type { CaptionedRow } from './captioned-picture.ts'

const picture = /^(.+)\.(?:png|jpe?g)$/i

/** Whether a folder has pictures. */
export function hasPictures(names: readonly string[]): boolean {
  return names.some((name) => picture.test(name))
}

/**
 * Pictures of a folder in order of their names, each with `NAME.txt` beside it, as kohya's scripts have them: of which
 * each line that is not empty is a caption. @throws {DatasetError} if a picture has none
 */
export async function namedCaptions(folder: string, names: readonly string[]): Promise<CaptionedRow[]> {
  const rows: CaptionedRow[] = []
  for (const name of [...names].sort()) {
    const stem = picture.exec(name)?.[1]
    if (stem === undefined) continue
    const origin = `${stem}.txt`
    const text = await readFile(join(folder, origin), 'utf8').catch(() => undefined)
    const captions = (text ?? '').split('\n').map((line) => line.trim()).filter((line) => line !== '')
    if (captions.length === 0) {
      const got = text === undefined ? `no ${origin}` : 'an empty file'
      throw new DatasetError(origin, `expected a caption of ${name} in ${folder}, got ${got}; write one, or move the picture`)
    }
    rows.push({ file: join(folder, name), captions, origin })
  }
  return rows
}
