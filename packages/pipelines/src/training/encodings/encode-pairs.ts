import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CheckpointError } from '@antipode/core'
import { lockPath, makeFolder } from '@antipode/core/io'
import { abortSignal, callable, checkOptions, flag, oneOf, required, text, whole } from '@antipode/core/options'
import { DatasetError, type PairRow, type PairRows } from '../pairs/index.ts'
import { bucketsOf } from './buckets.ts'
import { EncodedPairs } from './encoded-pairs.ts'
import { type EncodedPictures, encodePictures, encodePrompt, type PairEncoder } from './pair-encoder.ts'
import {
  digestOf, openShard, shardPath, type ShardHeader, type ShardRow, shardRows, type ShardTensor, writeShard,
} from './shard.ts'

/** Options of {@link encodePairs}. */
export interface EncodePairsOptions {
  /** Where encoded pairs are kept; several models and resolutions may share it. */
  readonly folder: string
  /** Differs wherever the encoders do: names, sizes and times of their files, say. */
  readonly models: string
  /** Side in pixels of the square whose area pictures are brought to. */
  readonly resolution: number
  /** Whether rows that are damaged are left out and counted; by default the first of them is thrown. */
  readonly skipDamaged?: boolean
  /** Element type that is kept: f16 by default, where the encoders compute in it nothing is lost. */
  readonly dtype?: 'f32' | 'f16'
  readonly signal?: AbortSignal
  /** Told after each row, whether it had to be encoded or was kept. */
  readonly onRow?: (report: EncodingReport) => void
}

/** How far encoding has come. */
export interface EncodingReport {
  readonly rows: number
  readonly encoded: boolean
}

/**
 * Encodes the pictures and prompts of pairs once, and keeps them on the disk: what is there of the same rows, files,
 * models and resolution is taken as it is, and a run that was stopped goes on where it was. Rows are read one by one;
 * of those that are encoded no more than a shard is in memory.
 * @throws {DatasetError} on the first damaged row, unless they are skipped, and where there is no pair at all
 * @throws {NumericError} if encoders give what is not finite @throws {CheckpointError} if the folder cannot be written
 */
export async function encodePairs(
  encoder: PairEncoder, pairs: PairRows, options: EncodePairsOptions,
): Promise<EncodedPairs> {
  checkOptions('encodePairs', options, {
    folder: required(text), models: required(text), resolution: required(whole(8)), skipDamaged: flag,
    dtype: oneOf('f32', 'f16'), signal: abortSignal, onRow: callable,
  })
  const { models, resolution, dtype = 'f16' } = options
  const key = createHash('sha256').update(JSON.stringify([models, resolution, dtype])).digest('hex').slice(0, 16)
  const folder = join(options.folder, key)
  await makeFolder(folder)
  await using lock = await lockPath('encodePairs', join(folder, 'pairs'))
  const run = new Encoding(encoder, folder, options)
  let done = false
  while (!done) {
    await lock.check()
    done = await run.nextShard(pairs)
  }
  return await run.finish()
}

class Encoding {
  readonly #encoder: PairEncoder
  readonly #folder: string
  readonly #options: EncodePairsOptions
  readonly #headers: ShardHeader[] = []
  /** Where each prompt is kept. */
  readonly #prompts = new Map<string, readonly [shard: number, index: number]>()
  /** Whether a shard that was there did not fit: those after it may refer to prompts that it had. */
  #stale = false
  #rows = 0

  constructor(encoder: PairEncoder, folder: string, options: EncodePairsOptions) {
    this.#encoder = encoder
    this.#folder = folder
    this.#options = options
  }

  /** Takes in the rows of one more shard. @returns whether there were none left */
  async nextShard(pairs: PairRows): Promise<boolean> {
    const known = await this.#known()
    const rows = await take(pairs, known?.rows.length ?? shardRows)
    if (rows.length === 0) return true
    const kept = known?.digest === digestOf(rows.map(identityOf)) ? known : undefined
    this.#stale ||= kept === undefined
    const header = kept ?? await this.#encode(rows)
    for (const [index, prompt] of header.prompts.entries()) this.#prompts.set(prompt, [this.#headers.length, index])
    if (kept) for (const _ of rows) this.#report(false)
    this.#headers.push(header)
    return false
  }

  /** Removes what lies behind the last shard. @throws {DatasetError} if there is no pair */
  async finish(): Promise<EncodedPairs> {
    let behind = this.#headers.length
    while (existsSync(shardPath(this.#folder, behind))) await rm(shardPath(this.#folder, behind++))
    const encoded = new EncodedPairs(this.#folder, this.#headers)
    if (encoded.pairs > 0) return encoded
    const got = `${this.#rows} rows: ${encoded.ties} ties and ${encoded.damaged} damaged`
    throw new DatasetError('encodePairs', `expected at least one pair, got ${got}`)
  }

  /** The header of the shard that is there in the next one's place, if it can be kept at all. */
  async #known(): Promise<ShardHeader | undefined> {
    const path = shardPath(this.#folder, this.#headers.length)
    if (this.#stale || !existsSync(path)) return undefined
    try {
      await using shard = await openShard(path)
      const { header } = shard
      return header.rows.includes('damaged') && this.#options.skipDamaged !== true ? undefined : header
    } catch (error) {
      // A disk's damage costs no more than the time to encode it again.
      if (error instanceof CheckpointError) return undefined
      throw error
    }
  }

  async #encode(rows: readonly PairRow[]): Promise<ShardHeader> {
    const { signal, dtype = 'f16' } = this.#options
    const shard = this.#headers.length
    const tensors = new Map<string, ShardTensor>()
    const prompts: string[] = []
    const done: ShardRow[] = []
    for (const row of rows) {
      if (signal?.aborted) break
      done.push(await this.#encodeRow(row, { tensors, prompts, shard, index: done.length }))
      this.#report(true)
    }
    const header = { digest: digestOf(rows.slice(0, done.length).map(identityOf)), rows: done, prompts }
    const path = shardPath(this.#folder, shard)
    if (done.length > 0) await writeShard(path, header, tensors, dtype === 'f16' ? 'F16' : 'F32')
    signal?.throwIfAborted()
    return header
  }

  async #encodeRow(row: PairRow, { tensors, prompts, shard, index }: Place): Promise<ShardRow> {
    if (row === 'tie') return 'tie'
    if (row instanceof DatasetError) return this.#damaged(row)
    const encoder = this.#encoder
    let pictures: EncodedPictures
    try {
      pictures = await encodePictures(encoder, row, bucketsOf(this.#options.resolution))
    } catch (error) {
      if (error instanceof DatasetError) return this.#damaged(error)
      throw error
    }
    const { size: { height, width }, original, crop, moments } = pictures
    tensors.set(`${index}.chosen`, moments.chosen).set(`${index}.rejected`, moments.rejected)
    let prompt = this.#prompts.get(row.prompt)
    if (!prompt) {
      prompt = [shard, prompts.length]
      const told = await encodePrompt(encoder, row.prompt)
      for (const [name, t] of told) tensors.set(`prompt.${prompts.length}.${name}`, t)
      this.#prompts.set(row.prompt, prompt)
      prompts.push(row.prompt)
    }
    return { prompt, size: [height, width], original, crop }
  }

  #damaged(error: DatasetError): 'damaged' {
    if (this.#options.skipDamaged !== true) throw error
    return 'damaged'
  }

  #report(encoded: boolean): void {
    this.#rows++
    this.#options.onRow?.({ rows: this.#rows, encoded })
  }
}

/** The shard that a row goes to. */
interface Place {
  readonly tensors: Map<string, ShardTensor>
  readonly prompts: string[]
  readonly shard: number
  readonly index: number
}

async function take(pairs: PairRows, count: number): Promise<PairRow[]> {
  const rows: PairRow[] = []
  while (rows.length < count) {
    const { value, done } = await pairs.next()
    if (done) break
    rows.push(value)
  }
  return rows
}

function identityOf(row: PairRow): string {
  if (row === 'tie') return row
  return row instanceof DatasetError ? row.message : row.identity
}
