import { bytesPerElement, type SafetensorsDType } from '../dtype.ts'
import { quote } from '../header.ts'
import { refuse } from '../refuse.ts'
import { type Known, Global, type Pickled } from './pickle.ts'

/** Numbers in a file of the archive, which tensors share. */
export class Storage {
  readonly dtype: SafetensorsDType
  /** Its file below `data/`. */
  readonly key: string
  /** Numbers in it. */
  readonly size: number

  constructor(dtype: SafetensorsDType, key: string, size: number) {
    this.dtype = dtype
    this.key = key
    this.size = size
  }
}

/** Part of a storage, in steps: element (i, j, …) is at `offset + i·strides[0] + j·strides[1] + …`. */
export class Strided {
  readonly storage: Storage
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]

  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage
    this.offset = offset
    this.shape = shape
    this.strides = strides
  }

  /** How many elements of the storage lie between the first that it uses and the last, both counted. */
  get span(): number {
    if (this.shape.includes(0)) return 0
    return 1 + this.shape.reduce((sum, size, i) => sum + (size - 1) * this.strides[i]!, 0)
  }

  /** Whether its elements lie one after the other. */
  get isContiguous(): boolean {
    let step = 1
    for (let i = this.shape.length - 1; i >= 0; i--) {
      if (this.shape[i] !== 1 && this.strides[i] !== step) return false
      step *= this.shape[i]!
    }
    return true
  }
}

const storages: Readonly<Record<string, SafetensorsDType>> = {
  'torch.FloatStorage': 'F32', 'torch.HalfStorage': 'F16', 'torch.BFloat16Storage': 'BF16',
  'torch.DoubleStorage': 'F64', 'torch.LongStorage': 'I64', 'torch.IntStorage': 'I32', 'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8', 'torch.ByteStorage': 'U8', 'torch.BoolStorage': 'BOOL',
}

/**
 * What a file of torch.save may say: tensors and their storages, parameters, and dictionaries that keep their order.
 * Source: pytorch 2.15, torch/_utils.py (_rebuild_tensor_v2, _rebuild_parameter) and torch/serialization.py
 * (persistent_id).
 */
export function knownOfTorch(label: string): Known {
  const wrong = (expected: string, got: Pickled): never => {
    // A list may hold itself many times over: only a flat one is shown.
    const isFlat = Array.isArray(got) ? got.every((one) => typeof one !== 'object') : typeof got !== 'object'
    const shown = isFlat ? quote(got) : 'something else'
    return refuse(label, expected, shown)
  }
  const calls: Readonly<Record<string, (args: readonly Pickled[]) => Pickled>> = {
    'collections.OrderedDict': (args) =>
      (args.length === 0 ? new Map() : wrong('an OrderedDict without arguments', args.length)),
    'torch._utils._rebuild_parameter': ([data = null]) =>
      (data instanceof Strided ? data : wrong('a parameter of a tensor', data)),
    'torch._utils._rebuild_tensor_v2'([storage = null, offset = null, shape = null, strides = null]) {
      if (!(storage instanceof Storage)) return wrong('a tensor in a storage', storage)
      if (!isSizes([offset])) return wrong('an offset in a storage', offset)
      if (!isSizes(shape)) return wrong('sizes of a tensor', shape)
      if (!isSizes(strides) || strides.length !== shape.length) {
        return wrong(`${shape.length} strides of a tensor`, strides)
      }
      const tensor = new Strided(storage, offset as number, shape, strides) // a size
      const count = shape.reduce((n, side) => n * side, 1)
      if (count > storage.size) {
        return wrong(`at most ${storage.size} elements, as many as its storage has, in a tensor`, count)
      }
      const end = tensor.offset + tensor.span
      if (tensor.span === 0 || end <= storage.size) return tensor
      return wrong(`a tensor [${shape.join()}] within the ${storage.size} elements of its storage`, end)
    },
  }
  return {
    has: (name) => Object.hasOwn(calls, name) || Object.hasOwn(storages, name),
    call(name, args) {
      const call = Object.hasOwn(calls, name) ? calls[name] : undefined
      return call ? call(args) : wrong('a storage by its identifier', name)
    },
    persistent(id) {
      const [kind, type, key, , size] = Array.isArray(id) ? id as readonly Pickled[] : []
      const dtype = type instanceof Global ? storages[type.name] : undefined
      if (kind !== 'storage' || dtype === undefined) return wrong('a storage of numbers', id)
      if (typeof key !== 'string' || !/^\d+$/.test(key)) {
        return wrong('a storage with a number for its name', key ?? null)
      }
      return isSizes([size]) ? new Storage(dtype, key, size as number) : wrong('the size of a storage', size ?? null)
    },
  }
}

/** Sizes whose products stay exact. */
function isSizes(list: unknown): list is number[] {
  if (!Array.isArray(list) || !list.every((n) => Number.isSafeInteger(n) && n >= 0)) return false
  return (list as readonly number[]).reduce((product, n) => product * Math.max(1, n), 1) < 2 ** 53
}

/** The elements of a tensor in row-major order, from those of its span. */
export function gathered(
  bytes: Uint8Array<ArrayBuffer>,
  { shape, strides, storage }: Strided,
): Uint8Array<ArrayBuffer> {
  const width = bytesPerElement[storage.dtype]
  const out = new Uint8Array(shape.reduce((n, size) => n * size, width))
  const index = shape.map(() => 0)
  let from = 0
  for (let to = 0; to < out.length; to += width) {
    out.set(bytes.subarray(from * width, (from + 1) * width), to)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!
      index[axis]! += 1
      if (index[axis]! < shape[axis]!) break
      from -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return out
}
