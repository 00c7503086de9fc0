import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ConfigError } from '@antipode/core'
import { jsonLines } from './json-lines.ts'
import { hasNamedPairs, namedFiles } from './named-files.ts'
import type { PairRows } from './pair.ts'
import { parquet } from './parquet.ts'

/** Lists of pairs that a folder may hold, the first of which counts. */
const lists = ['pairs.jsonl', 'metadata.jsonl']

/**
 * Preference pairs, row after row, from a file or a folder:
 * - `….jsonl`: `{"prompt": …, "chosen": …, "rejected": …}` a line, with the paths of pictures from the file's folder;
 * - `….parquet`: columns `caption`, `jpg_0`, `jpg_1`, `label_0` and `label_1`, as Pick-a-Pic has them; rows of equal
 *   labels are ties;
 * - a folder with `pairs.jsonl` or `metadata.jsonl`, or else with Parquet files (its own or those of `data/`, in order
 *   of names), or else with `NAME.txt`, `NAME.chosen.png` and `NAME.rejected.png` for each pair.
 *
 * Pictures are PNG or JPEG. A row that is damaged comes as the error that it would be: leave it out, or throw it.
 * @throws {ConfigError} if there is nothing of the kind at the path
 */
export async function openPairs(path: string): Promise<PairRows> {
  const found = await stat(path).catch(() => undefined)
  const refuse = (got: string): ConfigError => new ConfigError(
    `openPairs: expected a .jsonl or .parquet file of pairs, or a folder with one or with NAME.txt, NAME.chosen.png and ` +
    `NAME.rejected.png, got ${got} at ${path}`,
  )
  if (!found) throw refuse('nothing')
  if (!found.isDirectory()) return rowsOf(path) ?? refused(refuse('another file'))
  const names = await readdir(path)
  const list = lists.find((name) => names.includes(name))
  if (list !== undefined) return jsonLines(join(path, list))
  const below = names.includes('data') ? await readdir(join(path, 'data')).catch(() => []) : []
  const data = below.map((name) => join('data', name))
  const tables = [...names, ...data].filter(isParquet).sort()
  if (tables.length > 0) return inTurn(tables.map((name) => join(path, name)))
  if (hasNamedPairs(names)) return namedFiles(path, names)
  throw refuse('a folder with none')
}

const isParquet = (name: string): boolean => /\.parquet$/i.test(name)

function rowsOf(path: string): PairRows | undefined {
  if (isParquet(path)) return parquet(path)
  return /\.jsonl$/i.test(basename(path)) ? jsonLines(path) : undefined
}

function refused(error: ConfigError): never {
  throw error
}

async function* inTurn(tables: readonly string[]): PairRows {
  for (const table of tables) yield* parquet(table)
}
