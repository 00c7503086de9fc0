import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { CheckpointError } from '@antipode/core'
import {
  encodeFloat32, readSafetensors, type SafetensorsFile, type StreamedSafetensorsEntry, writeSafetensors,
} from '@antipode/core/io'

/** A pair as a shard knows it. */
export interface ShardPair {
  /** The shard that holds the prompt, and its number there: a prompt is kept where it came first. */
  readonly prompt: readonly [shard: number, index: number]
  /** Size that both pictures were brought to, `[height, width]` in pixels. */
  readonly size: readonly [number, number]
  /** Size of the chosen picture before that, and what was cut off at its top and left. */
  readonly original: readonly [number, number]
  readonly crop: readonly [number, number]
}

/** What a row of the data set came to: a pair, or nothing. */
export type ShardRow = ShardPair | 'tie' | 'damaged'

/** What the header of a shard says. */
export interface ShardHeader {
  /** Tells the rows, and the files of their pictures, from all others. */
  readonly digest: string
  readonly rows: readonly ShardRow[]
  /** Prompts that are kept here. */
  readonly prompts: readonly string[]
}

/** Numbers of a shard, on the host. */
export interface ShardTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array<ArrayBuffer>
}

/** Numbers by their name: `0.chosen`, `0.rejected` are moments of row 0; `prompt.0.context` is of prompt 0. */
export type ShardTensors = ReadonlyMap<string, ShardTensor>

const format = 'antipode-pairs-1'

/** Most rows of a shard: with latents of 512² pictures in f16 it has some 16 MiB. */
export const shardRows = 64

export function shardPath(folder: string, shard: number): string {
  return join(folder, `${`${shard}`.padStart(6, '0')}.safetensors`)
}

/** One text for the identities of rows, in their order. */
export function digestOf(identities: readonly string[]): string {
  const hash = createHash('sha256')
  for (const identity of identities) hash.update(JSON.stringify(identity))
  return hash.digest('hex')
}

/** Writes a shard, whole or not at all. @throws {CheckpointError} if it cannot be written */
export async function writeShard(
  path: string, header: ShardHeader, tensors: ShardTensors, dtype: 'F32' | 'F16',
): Promise<void> {
  const entries = Array.from(tensors, ([name, { shape, data }]): StreamedSafetensorsEntry => ({
    name, dtype, shape, data: encodeFloat32(data, dtype),
  }))
  const { digest, rows, prompts } = header
  await writeSafetensors(
    path, entries, { metadata: { format, digest, rows: JSON.stringify(rows), prompts: JSON.stringify(prompts) } },
  )
}

/** A shard to read numbers from; close it. @throws {CheckpointError} if it is missing, damaged, or another file */
export async function openShard(path: string): Promise<SafetensorsFile & { readonly header: ShardHeader }> {
  const file = await readSafetensors(path)
  try {
    return { ...file, header: headerOf(path, file.metadata) }
  } catch (error) {
    await file.close()
    throw error
  }
}

function headerOf(path: string, metadata: Readonly<Record<string, string>>): ShardHeader {
  const { digest, rows, prompts } = metadata
  if (metadata['format'] !== format || digest === undefined || rows === undefined || prompts === undefined) {
    throw new CheckpointError(`encodePairs: expected encoded pairs in ${path}, got another file; choose another folder`)
  }
  // Written by this module.
  return { digest, rows: JSON.parse(rows) as ShardRow[], prompts: JSON.parse(prompts) as string[] }
}
