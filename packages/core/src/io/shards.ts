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
 * Opens every shard that an index names, beside the index, as one checkpoint.
 *
 * @param open opens one shard
 * @throws {CheckpointError} if the index is malformed, names a file elsewhere, or a tensor is not in its shard.
 * Source: huggingface/transformers, sharded checkpoints (`weight_map`: tensor name to file name).
 */
export async function openShards(
  source: string | URL,
  open: (shard: string | URL) => Promise<SafetensorsFile>,
  options: ReadOptions,
): Promise<SafetensorsFile> {
  const place = locate(source)
  const label = JSON.stringify(String(place))
  const weightMap = await readIndex(label, place, options)
  const shards = new Map<string, SafetensorsFile>()
  const close = async (): Promise<void> => {
    await Promise.all([...shards.values()].map((shard) => shard.close()))
  }
  try {
    for (const fileName of new Set(weightMap.values())) shards.set(fileName, await open(beside(place, fileName)))
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
  const read = async (name: string): Promise<Uint8Array<ArrayBuffer>> => tensorNamed(label, owner, name).read(name)
  return safetensorsFile(label, { metadata, tensors, read, close })
}

async function readIndex(
  label: string,
  place: string | URL,
  options: ReadOptions,
): Promise<Map<string, string>> {
  const source = await openSource(place, options)
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
  return weightMap
}

/** A plain file name: an index must not reach into other folders. */
function shardName(label: string, fileName: string): string {
  if (/^[^/\\:]+\.safetensors$/.test(fileName)) return fileName
  return refuse(label, 'shards named by plain *.safetensors file names', quote(fileName))
}

function beside(index: string | URL, fileName: string): string | URL {
  if (index instanceof URL) return new URL(encodeURIComponent(fileName), index)
  const path = nodeModule('readSafetensors', 'node:path')
  return path.join(path.dirname(index), fileName)
}

function refuse(label: string, expected: string, got: string): never {
  throw new CheckpointError(
    `readSafetensors: ${label}: expected ${expected}, got ${got}; download the index and its shards again`,
  )
}
