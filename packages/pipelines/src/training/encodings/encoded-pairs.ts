import type { SafetensorsFile } from '@antipode/core/io'
import type { Size } from '../pictures/index.ts'
import {
  digestOf, openShard, shardPath, type ShardHeader, type ShardPair, shardRows, type ShardTensor,
} from './shard.ts'

/** Pairs whose pictures have one size, by the numbers of their places. */
export interface Bucket extends Size {
  readonly places: readonly number[]
}

/** A pair as it is read from the disk. */
export interface LoadedPair {
  /** Moments `[2·C, h, w]`. */
  readonly chosen: ShardTensor
  readonly rejected: ShardTensor
  /** What a denoiser is told of the prompt, by name. */
  readonly prompt: ReadonlyMap<string, ShardTensor>
  /**
   * Height and width of the chosen picture as it was, top and left of the crop, height and width of what was learnt
   * from.
   */
  readonly timeIds: readonly number[]
}

/** Encoded pairs on the disk. A number for each is in memory, and what is read is read from the disk. */
export class EncodedPairs {
  readonly buckets: readonly Bucket[]
  readonly pairs: number
  readonly ties: number
  readonly damaged: number
  /** Prompts of the first pairs, each once. */
  readonly prompts: readonly string[]
  /** Tells these pairs from all others. */
  readonly digest: string
  readonly #folder: string

  constructor(folder: string, headers: readonly ShardHeader[]) {
    const buckets = new Map<string, Size & { readonly places: number[] }>()
    const counts = { tie: 0, damaged: 0 }
    for (const [shard, { rows }] of headers.entries()) {
      for (const [index, row] of rows.entries()) {
        if (typeof row === 'string') {
          counts[row]++
          continue
        }
        const [height, width] = row.size
        const bucket = buckets.get(`${row.size}`) ?? { height, width, places: [] }
        bucket.places.push(shard * shardRows + index)
        buckets.set(`${row.size}`, bucket)
      }
    }
    this.buckets = [...buckets.values()]
    this.pairs = this.buckets.reduce((sum, { places }) => sum + places.length, 0)
    this.ties = counts.tie
    this.damaged = counts.damaged
    this.prompts = headers[0]?.prompts ?? []
    this.digest = digestOf(headers.map(({ digest }) => digest))
    this.#folder = folder
  }

  /** Reads pairs. @throws {CheckpointError} if a shard is gone or damaged */
  async load(places: readonly number[]): Promise<LoadedPair[]> {
    const pairs: LoadedPair[] = []
    for (const place of places) pairs.push(await this.#loadOne(Math.floor(place / shardRows), place % shardRows))
    return pairs
  }

  async #loadOne(shard: number, index: number): Promise<LoadedPair> {
    await using file = await openShard(shardPath(this.#folder, shard))
    const pair = file.header.rows[index] as ShardPair // buckets have pairs alone
    const { prompt: [at, number], size, original, crop } = pair
    await using other = at === shard ? undefined : await openShard(shardPath(this.#folder, at))
    return {
      chosen: await read(file, `${index}.chosen`), rejected: await read(file, `${index}.rejected`),
      prompt: await promptOf(other ?? file, number), timeIds: [...original, ...crop, ...size],
    }
  }
}

async function promptOf(file: SafetensorsFile, index: number): Promise<Map<string, ShardTensor>> {
  const prefix = `prompt.${index}.`
  const prompt = new Map<string, ShardTensor>()
  for (const name of file.tensors.keys()) {
    if (name.startsWith(prefix)) prompt.set(name.slice(prefix.length), await read(file, name))
  }
  return prompt
}

async function read(file: SafetensorsFile, name: string): Promise<ShardTensor> {
  return { shape: file.tensors.get(name)?.shape ?? [], data: await file.readFloat32(name) }
}
