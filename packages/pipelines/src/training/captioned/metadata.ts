import { readFile } from 'node:fs/promises'
import { basename, dirname, relative, resolve, sep } from 'node:path'
import { DatasetError } from '../pairs/index.ts'
import type { CaptionedPicture } from './captioned-picture.ts'

/**
 * Pictures of a `metadata.jsonl` as Hugging Face's `imagefolder` has it: `{"file_name": …, "text": …}` a line, where
 * `text` may be a list of captions, and `split` a part of the set. Other fields are left alone, and so are empty lines.
 * @throws {DatasetError} if a line is no such object, or names no file below the folder
 */
export async function ofMetadata(path: string): Promise<CaptionedPicture[]> {
  const lines = (await readFile(path, 'utf8')).split(/\r?\n/)
  return lines.flatMap((text, i) => (text.trim() === '' ? [] : [rowOf(path, `${basename(path)}:${i + 1}`, text)]))
}

function rowOf(path: string, origin: string, text: string): CaptionedPicture {
  const { file_name: name, text: caption, split } = objectIn(origin, text)
  if (typeof name !== 'string' || name === '') {
    throw new DatasetError(origin, `expected file_name to name a picture, got ${shown(name)}; mend or remove the line`)
  }
  const folder = dirname(resolve(path))
  const file = resolve(folder, name)
  if (relative(folder, file).split(sep)[0] === '..') {
    throw new DatasetError(origin, `expected a picture below the folder of the list, got ${name}; move it there`)
  }
  const captions = (Array.isArray(caption) ? caption as readonly unknown[] : [caption])
  const sound = captions.filter((one): one is string => typeof one === 'string' && one.trim() !== '')
  if (sound.length === 0 || sound.length < captions.length) {
    throw new DatasetError(origin, `expected text to be a caption or a list of some, got ${shown(caption)}; mend or remove the line`)
  }
  if (split !== undefined && (typeof split !== 'string' || split === '')) {
    throw new DatasetError(origin, `expected split to be a name, got ${shown(split)}; mend or remove the line`)
  }
  return { file, captions: sound.map((one) => one.trim()), split, origin }
}

function objectIn(origin: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (isObject) return value as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new DatasetError(origin, 'expected a JSON object in a line, got other text; mend or remove the line', { cause })
  }
  throw new DatasetError(origin, 'expected a JSON object in a line, got another value; mend or remove the line')
}

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 60) ?? 'none'
