import { type BlockType, blockTypes, decodeBlocks } from '@antipode/kernels-wgsl'
import { decodeFloat32 } from '../convert.ts'
import { bytesPerElement, type SafetensorsDType } from '../dtype.ts'
import { openState } from '../open-state.ts'
import { refuse } from '../refuse.ts'
import type { ByteSource } from '../source.ts'
import { tensorNamed } from '../safetensors-file.ts'
import type { TensorFile, TensorInfo } from '../tensor-file.ts'
import { type GgufHeader, type GgufTensor, type GgufValue, readGgufHeader } from './header.ts'

/** Types of ggml that hold plain numbers. */
const plain: ReadonlyMap<number, SafetensorsDType> = new Map<number, SafetensorsDType>([
  [0, 'F32'], [1, 'F16'], [24, 'I8'], [25, 'I16'], [26, 'I32'], [27, 'I64'], [28, 'F64'], [30, 'BF16'],
])

/** Types whose numbers lie in blocks. */
const blocks: ReadonlyMap<number, BlockType> = new Map<number, BlockType>([
  [2, 'q4_0'], [3, 'q4_1'], [6, 'q5_0'], [7, 'q5_1'], [8, 'q8_0'], [12, 'q4_k'], [13, 'q5_k'], [14, 'q6_k'],
])

/** Types that are told by name, and not read. */
const others: ReadonlyMap<number, string> = new Map([
  [9, 'Q8_1'], [10, 'Q2_K'], [11, 'Q3_K'], [15, 'Q8_K'], [16, 'IQ2_XXS'], [17, 'IQ2_XS'], [18, 'IQ3_XXS'],
  [19, 'IQ1_S'], [20, 'IQ4_NL'], [21, 'IQ3_S'], [22, 'IQ2_S'], [23, 'IQ4_XS'], [29, 'IQ1_M'], [34, 'TQ1_0'],
  [35, 'TQ2_0'], [39, 'MXFP4'],
])

interface Located extends TensorInfo {
  readonly begin: number
  readonly block: BlockType | undefined
}

/**
 * Opens a GGUF file of version 2 or 3. Tensors have the names that their converter gave them and shapes in the order of
 * other files; quantised ones come out as f32.
 * @throws {CheckpointError} if it is damaged, or has a type that is not read, which it names
 */
export async function readGguf(source: ByteSource, signal: AbortSignal | undefined): Promise<TensorFile> {
  const { label } = source
  const header = await readGgufHeader(source)
  const tensors = new Map(Array.from(header.tensors, ([name, tensor]) => [name, locate(source, header, name, tensor)]))
  const { check, close } = openState('readTensors', source, signal)
  const read: TensorFile['read'] = async (name, into) => {
    check()
    const { begin, byteLength } = tensorNamed(label, tensors, name)
    return source.read(begin, byteLength, into)
  }
  const texts = [...header.values].flatMap(([key, value]) => (typeof value === 'object' ? [] : [[key, String(value)]]))
  return {
    metadata: Object.fromEntries(texts) as Record<string, string>, // pairs of texts
    tensors,
    read,
    async readFloat32(name, into) {
      const { block, shape, dtype } = tensorNamed(label, tensors, name)
      const bytes = await read(name, into)
      if (!block) return decodeFloat32(bytes, dtype as SafetensorsDType) // a plain type
      return decodeBlocks(bytes, block, shape.reduce((n, size) => n * size, 1))
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function locate({ label, size }: ByteSource, header: GgufHeader, name: string, tensor: GgufTensor): Located {
  const { shape, type } = tensor
  const block = blocks.get(type)
  const dtype = plain.get(type) ?? block?.toUpperCase()
  const shown = JSON.stringify(name)
  if (dtype === undefined) {
    const known = [...plain.values(), ...[...blocks.values()].map((one) => one.toUpperCase())].join(', ')
    const got = others.get(type) ?? `type ${type}`
    refuse(label, `${shown} to be one of ${known}`, got, 'convert the model to one of these')
  }
  const count = shape.reduce((n, side) => n * side, 1)
  // A type without blocks is plain.
  const { size: each, bytes } = block ? blockTypes[block] : { size: 1, bytes: bytesPerElement[dtype as SafetensorsDType] }
  if (!Number.isSafeInteger(count) || (shape.at(-1) ?? 1) % each !== 0) {
    refuse(label, `rows of ${shown} of whole blocks of ${each}`, `[${shape.join()}]`)
  }
  const [begin, byteLength] = [header.dataStart + tensor.offset, (count / each) * bytes]
  if (!(begin + byteLength <= size)) {
    const got = `${Math.max(0, size - begin)}: the file is truncated`
    refuse(label, `${byteLength} bytes of ${shown} at byte ${begin}`, got)
  }
  const stated = header.values.get(`comfy.gguf.orig_shape.${name}`)
  return { dtype, shape: stated === undefined ? shape : original(label, name, stated, count), byteLength, begin, block }
}

/** What a tensor had for a shape before it was fitted to blocks, where the converter says so. */
function original(label: string, name: string, stated: GgufValue, count: number): readonly number[] {
  if (typeof stated === 'object' && stated.reduce((n, side) => n * side, 1) === count) return stated
  const expected = `the original shape of ${JSON.stringify(name)} to have ${count} elements`
  return refuse(label, expected, String(stated), 'convert the model again')
}
