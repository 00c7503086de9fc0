import { open } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { DatasetError } from './dataset-error.ts'
import type { PairRow, PairRows } from './pair.ts'
import { pairOfFiles } from './picture-file.ts'

/**
 * Pairs of a file of JSON lines, `{"prompt": …, "chosen": …, "rejected": …}` each: paths of pictures count from the
 * folder of the file. Other fields are left alone, and so are lines that are empty.
 */
export async function* jsonLines(path: string): PairRows {
  await using file = await open(path)
  let line = 0
  for await (const text of file.readLines()) {
    line++
    if (text.trim() !== '') yield await rowOf(path, `${basename(path)}:${line}`, text)
  }
}

const fields = ['prompt', 'chosen', 'rejected'] as const

async function rowOf(path: string, origin: string, text: string): Promise<PairRow> {
  const row = jsonObject(text)
  if (row === undefined) {
    return new DatasetError(origin, 'expected a JSON object in a line, got something else; mend or remove the line')
  }
  const wrong = fields.find((field) => typeof row[field] !== 'string' || (field !== 'prompt' && row[field] === ''))
  if (wrong !== undefined) {
    const got = wrong in row ? JSON.stringify(row[wrong])?.slice(0, 60) : 'none'
    return new DatasetError(
      origin, `expected texts prompt, chosen and rejected, got ${got} as ${wrong}; mend or remove the line`,
    )
  }
  const { prompt, chosen, rejected } = row as Readonly<Record<typeof fields[number], string>>
  const at = (name: string): string => resolve(dirname(path), name)
  return await pairOfFiles({ origin, prompt, chosen: at(chosen), rejected: at(rejected) })
}

/** The object that a line of JSON is, or undefined where it is none. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? value as Readonly<Record<string, unknown>> : undefined
  } catch {
    return undefined
  }
}
