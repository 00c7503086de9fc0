import { CheckpointError } from '../errors.ts'
import { MAX_HEADER_BYTES, quote, readJson, type SafetensorsInfo } from './header.ts'
import { nodeModule } from './node.ts'
import { locate, openSource, type SafetensorsSource } from './open-source.ts'
import { safetensorsFile, tensorNamed, type SafetensorsFile } from './safetensors-file.ts'
import type { ReadOptions } from './source.ts'

const INDEX_SUFFIX = '.safetensors.index.json'

/** Whether a source names the index of a sharded checkpoint. */
export function isIndex(source: SafetensorsSource): source is string | URL {
  if (source instanceof URL) return source.pathname.endsWith(INDEX_SUFFIX)
  return typeof source === 'string' && source.replace(/^(https?:[^?#]*).*$/i, '$1').endsWith(INDEX_SUFFIX)
}

/**
 * Opens every shard that an index names as one checkpoint.
 *
 * @param find where a shard is; undefined if it is missing
 * @param open opens one shard
 * @throws {CheckpointError} if the index is malformed, names a file elsewhere, a shard is missing, or a tensor is not
 * in its shard.
 * Source: huggingface/transformers, sharded checkpoints (`weight_map`: tensor name to file name).
 */
export async function openShards(
  source: SafetensorsSource,
  find: (name: string) => Promise<SafetensorsSource | undefined>,
  open: (shard: SafetensorsSource) => Promise<SafetensorsFile>,
  options: ReadOptions,
): Promise<SafetensorsFile> {
  const { label, weightMap } = await readIndex(source, options)
  const names = [...new Set(weightMap.values())]
  const places = new Map<string, SafetensorsSource>()
  for (const name of names) {
    const place = await find(name)
    if (place !== undefined) places.set(name, place)
  }
  const missing = names.filter((name) => !places.has(name))
  if (missing.length > 0) refuse(label, `the ${names.length} shards that it names`, `none called ${missing.join(', ')}`)
  const shards = new Map<string, SafetensorsFile>()
  const close = async (): Promise<void> => {
    await Promise.all([...shards.values()].map((shard) => shard.close()))
  }
  try {
    for (const [name, place] of places) shards.set(name, await open(place))
    return joinShards(label, weightMap, shards, close)
  } catch (error) {
    await close()
    throw error
  }
}

function joinShards(
  label: string,
  weightMap: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, SafetensorsFile>,
  close: () => Promise<void>,
): SafetensorsFile {
  const tensors = new Map<string, SafetensorsInfo>()
  const owner = new Map<string, SafetensorsFile>()
  let metadata: Readonly<Record<string, string>> = {}
  for (const [fileName, shard] of shards) {
    metadata = { ...metadata, ...shard.metadata }
    for (const [name, info] of shard.tensors) {
      // A tensor that the index assigns to another shard, or to none, is not part of the checkpoint.
      if (weightMap.get(name) !== fileName) continue
      tensors.set(name, info)
      owner.set(name, shard)
    }
  }
  for (const [name, fileName] of weightMap) {
    if (!tensors.has(name)) refuse(label, `tensor ${quote(name)} in ${quote(fileName)}`, 'a file without it')
  }
  const read: SafetensorsFile['read'] = async (name, into) => tensorNamed(label, owner, name).read(name, into)
  return safetensorsFile(label, { metadata, tensors, read, close })
}

async function readIndex(
  place: SafetensorsSource,
  options: ReadOptions,
): Promise<{ readonly label: string; readonly weightMap: Map<string, string> }> {
  const source = await openSource(place, options)
  const { label } = source
  let bytes: Uint8Array
  try {
    if (source.size > MAX_HEADER_BYTES) refuse(label, `at most ${MAX_HEADER_BYTES} bytes`, `${source.size}`)
    bytes = await source.read(0, source.size)
  } finally {
    await source.close()
  }
  const weightMap = new Map<string, string>()
  readJson(label, 'an index', bytes, (reader) => {
    let found = false
    if (reader.kind !== 'object') refuse(label, 'a weight_map object from tensor names to files', reader.ahead)
    reader.object((key) => {
      if (key !== 'weight_map') return reader.skip()
      found = true
      if (reader.kind !== 'object') refuse(label, 'a weight_map object from tensor names to files', reader.ahead)
      return reader.object((name) => {
        if (reader.kind !== 'string') refuse(label, 'shards named by plain *.safetensors file names', reader.ahead)
        weightMap.set(name, shardName(label, reader.string()))
      })
    })
    if (!found) refuse(label, 'a weight_map object from tensor names to files', 'none')
  })
  return { label, weightMap }
}

/** A plain file name: an index must not reach into other folders. */
function shardName(label: string, fileName: string): string {
  if (/^[^/\\:]+\.safetensors$/.test(fileName)) return fileName
  return refuse(label, 'shards named by plain *.safetensors file names', quote(fileName))
}

/** Where shards are that stand beside their index. */
export function besides(source: string | URL): (name: string) => Promise<string | URL> {
  const index = locate(source)
  if (index instanceof URL) return async (name) => new URL(encodeURIComponent(name), index)
  const path = nodeModule('readSafetensors', 'node:path')
  return async (name) => path.join(path.dirname(index), name)
}

function refuse(label: string, expected: string, got: string): never {
  throw new CheckpointError(
    `readSafetensors: ${label}: expected ${expected}, got ${got}; download the index and its shards again`,
  )
}
