import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CheckpointError } from '@antipode/core'
import { readSafetensors, writeSafetensors } from '@antipode/core/io'

/** A finished stage of a run, as arrays with their shapes. */
export type StageArrays = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>

/**
 * Finished stages of an interrupted run, one file each, so that the next run of the same recipe starts where it stopped.
 * Files appear whole or not at all. One of another recipe, or one that a disk has damaged, costs no more than the time to
 * compute its stage again: it is overwritten.
 */
export class Stages {
  readonly directory: string
  readonly #recipe: string
  readonly #resume: boolean

  constructor(directory: string, recipe: string, resume: boolean) {
    this.directory = directory
    this.#recipe = recipe
    this.#resume = resume
  }

  /** What an earlier run computed, or what `compute` gives now. */
  async of<T extends StageArrays>(name: string, compute: () => Promise<T>): Promise<T> {
    const path = join(this.directory, `${name}.safetensors`)
    const known = this.#resume && existsSync(path) ? await this.#read(path).catch(ifDamaged) : undefined
    if (known) return known as T
    const result = await compute()
    await mkdir(this.directory, { recursive: true })
    await writeSafetensors(path, Object.entries(result).map(([key, { shape, data }]) => ({ name: key, dtype: 'F32', shape, data })), {
      metadata: { recipe: this.#recipe },
    })
    return result
  }

  /** Where a training run of this recipe keeps its own checkpoint. */
  runPath(name: string): string {
    return join(this.directory, `${name}.run.safetensors`)
  }

  /** Forgets everything. */
  async clear(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true })
  }

  async #read(path: string): Promise<StageArrays | undefined> {
    await using file = await readSafetensors(path)
    if (file.metadata['recipe'] !== this.#recipe) return undefined
    const out: Record<string, { shape: readonly number[]; data: Float32Array }> = {}
    for (const [name, { shape }] of file.tensors) out[name] = { shape, data: await file.readFloat32(name) }
    return out
  }
}

function ifDamaged(error: unknown): undefined {
  if (!(error instanceof CheckpointError)) throw error
}
