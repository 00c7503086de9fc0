import { readdir, stat } from 'node:fs/promises'
import { ConfigError } from '@antipode/core'
import { checkOptions, type Ranges, text } from '@antipode/core/options'
import { DatasetError } from '../pairs/index.ts'
import type { CaptionedPicture, CaptionedRow } from './captioned-picture.ts'
import { metadataRows } from './metadata.ts'
import { hasPictures, namedCaptions } from './named-captions.ts'

/** Which pictures of a folder are taken. */
export interface OpenCaptionedOptions {
  /** Those whose rows have this as `split`; by default all. */
  readonly split?: string
  /**
   * The field of `metadata.jsonl` that is alike for pictures of one thing, such as `family`: each of its values is drawn
   * as often as any other, and of its pictures one each time. By default each picture is drawn as often as any other.
   */
  readonly balance?: string
}

const ranges: Ranges<OpenCaptionedOptions> = { split: text, balance: text }
const list = 'metadata.jsonl'

/**
 * The captioned pictures of a folder, of one of two layouts:
 * - `metadata.jsonl`, with `{"file_name": …, "text": …}` a line, as HF's `imagefolder` reads it: paths count from the
 *   folder, `text` may be a list of captions, and `split` names the part that a row belongs to. In order of lines.
 * - or else `NAME.png`, `NAME.jpg` or `NAME.jpeg` with `NAME.txt` beside it, as kohya's scripts read it: each line that is
 *   not empty is a caption. In order of names, and without splits.
 *
 * Captions are trimmed. Pictures are looked for, and not yet read.
 * @throws {ConfigError} if there is nothing of the kind at the path, or no such split
 * @throws {DatasetError} if a row has no caption, or its picture is missing or not within the folder
 */
export async function openCaptioned(
  path: string,
  options: OpenCaptionedOptions = {},
): Promise<readonly CaptionedPicture[]> {
  checkOptions('openCaptioned', options, ranges)
  const rows = await rowsOf(path, options.balance)
  const chosen = options.split === undefined ? rows : ofSplit(path, rows, options.split)
  for (const { file, origin } of chosen) {
    const found = await stat(file).catch(() => undefined)
    if (found?.isFile()) continue
    throw new DatasetError(
      origin, `expected a picture at ${file}, got ${found ? 'a folder' : 'nothing'}; name a file of the folder`,
    )
  }
  return chosen.map(({ split, ...picture }) => picture)
}

async function rowsOf(path: string, balance: string | undefined): Promise<CaptionedRow[]> {
  const refuse = (got: string): ConfigError => new ConfigError(
    `openCaptioned: expected a folder with ${list}, or with NAME.png or NAME.jpg and NAME.txt, got ${got} at ${path}`,
  )
  const found = await stat(path).catch(() => undefined)
  if (!found?.isDirectory()) throw refuse(found ? 'a file' : 'nothing')
  const names = await readdir(path)
  if (names.includes(list)) {
    const rows = await metadataRows(path, list, balance)
    if (rows.length === 0) throw refuse(`a ${list} without rows`)
    return rows
  }
  if (!hasPictures(names)) throw refuse(names.length === 0 ? 'an empty folder' : 'a folder with neither')
  if (balance === undefined) return await namedCaptions(path, names)
  throw new ConfigError(`openCaptioned: expected no balance, as a folder without ${list} has no fields, got '${balance}' for ${path}`)
}

function ofSplit(path: string, rows: readonly CaptionedRow[], split: string): CaptionedRow[] {
  const chosen = rows.filter((row) => row.split === split)
  if (chosen.length > 0) return chosen
  const there = [...new Set(rows.flatMap((row) => row.split ?? []))].sort()
  throw new ConfigError(
    `openCaptioned: expected ${there.length === 0 ? 'no split, as rows name none' : `a split of ${there.join(', ')}`}, ` +
    `got '${split}' for ${path}`,
  )
}
