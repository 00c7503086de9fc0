import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ConfigError } from '@antipode/core'
import { checkOptions, text } from '@antipode/core/options'
import { DatasetError } from '../pairs/index.ts'
import type { CaptionedPicture } from './captioned-picture.ts'
import { ofMetadata } from './metadata.ts'
import { hasPictures, ofTextFiles } from './text-files.ts'

const list = 'metadata.jsonl'

/** Options of {@link openCaptioned}. */
export interface OpenCaptionedOptions {
  /** The part of the set that is wanted; all of it by default. */
  readonly split?: string
}

/**
 * Captioned pictures of a folder, in a fixed order, none of which is read yet:
 * - `metadata.jsonl`, as Hugging Face's `imagefolder` has it: `{"file_name": …, "text": …}` a line, where `text` may be a
 *   list of captions, and `split` may name a part of the set;
 * - or else `NAME.png`, `NAME.jpg` or `NAME.jpeg` with `NAME.txt` beside it, a caption a line.
 * @throws {ConfigError} if there is nothing of the kind, or no such split
 * @throws {DatasetError} if a line or a picture's captions are not as they should be, or a picture is missing
 */
export async function openCaptioned(
  path: string, options: OpenCaptionedOptions = {},
): Promise<readonly CaptionedPicture[]> {
  checkOptions('openCaptioned', options, { split: text })
  const all = await picturesIn(path)
  for (const { file, origin } of all) {
    if ((await stat(file).catch(() => undefined))?.isFile()) continue
    throw new DatasetError(origin, `expected a picture at ${file}, got nothing; mend or remove the line`)
  }
  const { split } = options
  const own = split === undefined ? all : all.filter((one) => one.split === split)
  if (own.length > 0) return own
  const splits = [...new Set(all.map((one) => one.split))].filter((name) => name !== undefined).sort()
  throw new ConfigError(
    `openCaptioned: expected split to be ${splits.length > 0 ? splits.join(' or ') : 'left out'}, got ${split} for ${path}`,
  )
}

async function picturesIn(path: string): Promise<readonly CaptionedPicture[]> {
  const refuse = (got: string): ConfigError => new ConfigError(
    `openCaptioned: expected a folder with ${list}, or with NAME.png and NAME.txt for each picture, got ${got} at ${path}`,
  )
  const found = await stat(path).catch(() => undefined)
  if (!found) throw refuse('nothing')
  const [folder, names] = found.isDirectory() ? [path, await readdir(path)] : [dirname(path), [basename(path)]]
  if (names.includes(list)) {
    const pictures = await ofMetadata(join(folder, list))
    if (pictures.length === 0) throw refuse('a list of no pictures')
    return pictures
  }
  if (found.isDirectory() && hasPictures(names)) return await ofTextFiles(path, names)
  throw refuse(found.isDirectory() ? 'a folder with neither' : 'another file')
}
