import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatasetError } from './dataset-error.ts'
import type { PairRow, PairRows } from './pair.ts'
import { pairOfFiles } from './picture-file.ts'

/** "cat.chosen.png", "cat.rejected.jpg" */
const picture = /^(.+)\.(chosen|rejected)\.(?:png|jpe?g)$/i

/** Paths of those that were found. */
interface Pictures {
  readonly chosen?: string
  readonly rejected?: string
}

/** Whether a folder has pairs by the names of its files. */
export function hasNamedPairs(names: readonly string[]): boolean {
  return names.some((name) => picture.test(name))
}

/**
 * Pairs of a folder by the names of its files: `cat.txt` with the prompt, `cat.chosen.png` and `cat.rejected.png`, in
 * order of names.
 */
export async function* namedFiles(folder: string, names: readonly string[]): PairRows {
  const pairs = new Map<string, Pictures>()
  for (const name of [...names].sort()) {
    const [, stem, role] = picture.exec(name) ?? []
    if (stem === undefined || role === undefined) continue
    pairs.set(stem, { ...pairs.get(stem), [role.toLowerCase()]: join(folder, name) })
  }
  for (const [stem, files] of pairs) yield await rowOf(folder, stem, files)
}

async function rowOf(folder: string, stem: string, { chosen, rejected }: Pictures): Promise<PairRow> {
  const origin = `${stem}.txt`
  const prompt = await readFile(join(folder, origin), 'utf8').catch(() => undefined)
  if (prompt === undefined || chosen === undefined || rejected === undefined) {
    const missing = prompt === undefined ? origin : `${stem}.${chosen === undefined ? 'chosen' : 'rejected'}.png`
    return new DatasetError(
      origin, `expected ${stem}.txt, ${stem}.chosen.png and ${stem}.rejected.png in ${folder}, got no ${missing}`,
    )
  }
  return await pairOfFiles({ origin, prompt: prompt.trim(), chosen, rejected })
}
