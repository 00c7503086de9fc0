import { readFile } from 'node:fs/promises'
import { basename, isAbsolute, relative, resolve } from 'node:path'
import { DatasetError, jsonObject } from '../pairs/index.ts'
import type { CaptionedRow } from './captioned-picture.ts'

/**
 * Rows of a folder's `metadata.jsonl`, in its order, as HF's `imagefolder` has them: `{"file_name": …, "text": …}`, where
 * `text` may be a list, and `split` a name. Other fields are left alone, and so are lines that are empty.
 * @param group the field that says what a picture shows
 * @throws {DatasetError} if a row has another form
 */
export async function metadataRows(folder: string, list: string, group?: string): Promise<CaptionedRow[]> {
  const lines = (await readFile(resolve(folder, list), 'utf8')).split('\n')
  return lines.flatMap((text, i) => (text.trim() === '' ? [] : [rowOf({ folder, group }, `${basename(list)}:${i + 1}`, text)]))
}

function rowOf(
  { folder, group: field }: { readonly folder: string; readonly group: string | undefined }, origin: string, text: string,
): CaptionedRow {
  // A byte order mark is white space to trim, and none to JSON.
  const row = jsonObject(text.trim())
  if (row === undefined) {
    throw new DatasetError(origin, 'expected a JSON object in a line, got something else; mend or remove the line')
  }
  const { file_name: name, text: words, split } = row
  const refuse = (expected: string, field: string): DatasetError => {
    const got = field in row ? JSON.stringify(row[field]).slice(0, 60) : 'none'
    return new DatasetError(origin, `expected ${expected} as ${field}, got ${got}; mend or remove the line`)
  }
  if (typeof name !== 'string' || name === '') throw refuse("the name of a picture's file", 'file_name')
  const captions = (Array.isArray(words) ? words : [words]).map((one) => (typeof one === 'string' ? one.trim() : ''))
  if (captions.length === 0 || captions.includes('')) throw refuse('a caption or a list of captions', 'text')
  if (split !== undefined && (typeof split !== 'string' || split === '')) throw refuse('a name, or nothing,', 'split')
  const group = field === undefined ? undefined : row[field]
  if (field !== undefined && (typeof group !== 'string' || group === '')) throw refuse('a text', field)
  return {
    file: inside(folder, origin, name), captions, origin,
    ...(split === undefined ? {} : { split }),
    ...(typeof group === 'string' ? { group } : {}),
  }
}

/** Where a file of the folder lies. Rows come from anywhere: none may name a file that is not in the folder. */
function inside(folder: string, origin: string, name: string): string {
  const file = resolve(folder, name)
  const from = relative(resolve(folder), file)
  if (isAbsolute(name) || isAbsolute(from) || from === '' || /^\.\.(?:[\\/]|$)/.test(from)) {
    throw new DatasetError(
      origin, `expected a file_name within the folder, got ${JSON.stringify(name)}; move the picture into the folder`,
    )
  }
  return file
}
