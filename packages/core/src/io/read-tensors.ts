import { checkOptions } from '../options/index.ts'
import { readGguf } from './gguf/index.ts'
import { openSource, type SafetensorsSource } from './open-source.ts'
import {
  openSafetensors, readOptions, readRanges, readSafetensors, type ReadSafetensorsOptions,
} from './read-safetensors.ts'
import { refuse } from './refuse.ts'
import { isIndex } from './shards.ts'
import type { ByteSource } from './source.ts'
import type { TensorFile } from './tensor-file.ts'
import { readTorch } from './torch/index.ts'

/**
 * Opens a file of tensors, whatever format its first bytes say it is of: safetensors (also an index of shards), GGUF,
 * or what `torch.save` writes (`.ckpt`, `.pt`, `.pth`, `.bin`). Of the last, tensors and plain data are read and
 * everything else is refused by its name; no code in it ever runs.
 *
 * @throws {CheckpointError} if the source is missing, damaged, of another format, or names anything but tensors
 * @throws {ConfigError} on an unknown option @throws {UnsupportedError} for a path where there is no Node
 * @example
 * await using file = await readTensors('v1-5-pruned-emaonly.ckpt')
 * await model.load(file)
 */
export async function readTensors(
  source: SafetensorsSource,
  options: ReadSafetensorsOptions = {},
): Promise<TensorFile> {
  checkOptions('readTensors', options, readRanges)
  options.signal?.throwIfAborted()
  if (options.shards || isIndex(source)) return readSafetensors(source, options)
  const bytes = await openSource(source, readOptions(options))
  try {
    return await open(bytes, options)
  } catch (error) {
    await bytes.close()
    throw error
  }
}

async function open(source: ByteSource, { signal, verify = false }: ReadSafetensorsOptions): Promise<TensorFile> {
  const [a, b, c, d, , , , , ninth] = await source.read(0, Math.min(source.size, 9))
  const picture = a === 0x89 && b === 0x50 && c === 0x4e ? 'a PNG image' : a === 0xff && b === 0xd8 ? 'a JPEG image' : undefined
  if (picture) refuse(source.label, 'a file of tensors', picture, 'check the path')
  const isZip = a === 0x50 && b === 0x4b && c === 3 && d === 4
  const isGguf = a === 0x47 && b === 0x47 && c === 0x55 && d === 0x46
  if ((isZip || isGguf) && verify) {
    refuse(source.label, 'a file with digests to verify', 'a format without', 'leave verify out')
  }
  if (isZip) return readTorch(source, signal)
  if (isGguf) return readGguf(source, signal)
  // A header of safetensors may be just as long as a pickle begins; a brace follows the length.
  if (a === 0x80 && b !== undefined && b >= 2 && b <= 5 && ninth !== 0x7b) {
    const got = c === 0x8a ? 'one of torch before 1.6' : 'a pickle of something else'
    const advice = 'load it there with weights_only=True and save it again with torch.save or as safetensors'
    refuse(source.label, 'a file of torch 1.6 or later', got, advice)
  }
  return openSafetensors(source, verify, signal)
}
