import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Module } from '@antipode/core/nn'
import { addRandomAdapter } from '@antipode/npo'
import type { Json, ScoreJob, StudyJob } from '@antipode/npo/studies'
import type { AdapterSource, EvalSettings } from '../eval-settings/index.ts'

/** Who samples and scores on a device. */
export interface Scorer extends AsyncDisposable {
  readonly score: ScoreJob
}

/** What can be evaluated. */
export interface Evaluated {
  /** All that scores depend on beside adapters, known without a device. */
  task(settings: EvalSettings): Promise<Json>
  open(settings: EvalSettings, signal: AbortSignal): Promise<Scorer>
}

/** Seeds of the noises of items, which never meet: those of a seed lie together, 100,000 of each set. */
export function noiseSeed({ seed, noises }: Pick<StudyJob, 'seed' | 'noises'>, item: number): number {
  return (noises === 'selection' ? 2_000_000_000 : 1_000_000_000) + seed * 100_000 + item
}

/** How adapters are put on a model and taken off. */
export interface AdapterPlaces {
  readonly model: Module
  readonly clear: () => void
  readonly load: (name: string, file: string) => Promise<void>
}

/** Puts the adapters of a seed on a model, in place of those of another. */
export function adaptersOf({ adapters }: EvalSettings, { model, clear, load }: AdapterPlaces): (seed: number) => Promise<void> {
  let there: number | undefined
  return async (seed) => {
    if (there === seed) return
    clear()
    for (const [name, source] of Object.entries(adapters)) {
      if (typeof source === 'string') await load(name, adapterFile(source, seed))
      else await addRandomAdapter(model, name, { like: source.like, seed: 4_000_000 + seed })
    }
    there = seed
  }
}

/** What scores depend on, by seed: the adapters that were trained with it. */
export async function seedTasksOf({ adapters, seeds }: EvalSettings): Promise<Json[]> {
  const tasks: Json[] = []
  const known = new Map<string, string>() // seeds may share a file
  const digest = async (file: string): Promise<string> => {
    const found = known.get(file) ?? (await digestOf(file))
    known.set(file, found)
    return found
  }
  for (const seed of seeds) {
    const digests: Record<string, Json> = {}
    for (const [name, source] of Object.entries(adapters)) {
      digests[name] = typeof source === 'string' ? await digest(adapterFile(source, seed)) : { like: source.like }
    }
    tasks.push(digests)
  }
  return tasks
}

/** The file of an adapter for a seed. */
function adapterFile(source: Extract<AdapterSource, string>, seed: number): string {
  return source.replaceAll('{seed}', `${seed}`)
}

/** Whether adapters are others for other seeds. */
export function bySeed({ adapters }: EvalSettings): boolean {
  return Object.values(adapters).some((source) => typeof source === 'string' && source.includes('{seed}'))
}

/** SHA-256 of a file, or of the names and contents of a folder's; of what is neither, the name. */
export async function digestOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  const hash = createHash('sha256')
  if (!found) return hash.update(path).digest('hex')
  const names = found.isDirectory() ? (await readdir(path, { recursive: true })).sort() : ['']
  for (const name of names) {
    const file = join(path, name)
    if (!(await stat(file)).isFile()) continue
    hash.update(JSON.stringify(name))
    for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 22 })) hash.update(chunk as Buffer)
  }
  return hash.digest('hex')
}
