import { bytesPerElement } from '../dtype.ts'
import type { SafetensorsInfo } from '../header.ts'
import { openState } from '../open-state.ts'
import { refuse } from '../refuse.ts'
import { safetensorsFile, tensorNamed, type SafetensorsFile } from '../safetensors-file.ts'
import type { ByteSource } from '../source.ts'
import { type Pickled, unpickle } from './pickle.ts'
import { gathered, knownOfTorch, Strided } from './tensors.ts'
import { readZip, startOf, type ZipEntry } from './zip.ts'

/** A pickle of names and shapes is longer than this in no model. */
const maxPickleBytes = 100_000_000

/**
 * Opens a file of `torch.save`, of torch 1.6 or later: the tensors of its dictionary, or of the one in it that holds
 * tensors, such as `state_dict`. Nothing that it names is run; each tensor is read from its own place in the file.
 * @throws {CheckpointError} if it is damaged, older, a program (TorchScript), or names anything but tensors and data
 */
export async function readTorch(source: ByteSource, signal: AbortSignal | undefined): Promise<SafetensorsFile> {
  const { label } = source
  const files = await readZip(source)
  const [pickle, root] = pickleOf(source, files)
  await checkByteOrder(source, files.get(`${root}byteorder`))
  const bytes = await source.read(await startOf(source, pickle), pickle.size)
  const found = tensorsOf(label, unpickle(label, bytes, knownOfTorch(label)))
  const tensors = new Map<string, SafetensorsInfo>()
  for (const [name, { storage, shape }] of found) {
    const { dtype, key, size } = storage
    const entry = files.get(`${root}data/${key}`)
    const needed = size * bytesPerElement[dtype]
    if (!entry || entry.size < needed) {
      refuse(label, `${needed} bytes for ${JSON.stringify(name)}`, entry ? `${entry.size}` : 'none')
    }
    tensors.set(name, { dtype, shape, byteLength: shape.reduce((n, side) => n * side, bytesPerElement[dtype]) })
  }
  const state = openState('readTensors', source, signal)
  return safetensorsFile(label, {
    metadata: {},
    tensors,
    async read(name, into) {
      state.check()
      const tensor = tensorNamed(label, found, name)
      const width = bytesPerElement[tensor.storage.dtype]
      const entry = files.get(`${root}data/${tensor.storage.key}`)!
      const start = await startOf(source, entry) + tensor.offset * width
      const span = await source.read(start, tensor.span * width, into)
      return tensor.isContiguous ? span : gathered(span, tensor)
    },
    close: () => state.close(),
  })
}

/** The pickle of an archive, and the folder that all of it is in. */
function pickleOf({ label }: ByteSource, files: ReadonlyMap<string, ZipEntry>): [ZipEntry, string] {
  const name = [...files.keys()].find((one) => /^([^/]+\/)?data\.pkl$/.test(one))
  const entry = name === undefined ? undefined : files.get(name)
  if (name === undefined || !entry) {
    const got = `an archive of ${[...files.keys()].slice(0, 3).join(', ') || 'nothing'}`
    return refuse(label, 'a file of torch.save, with data.pkl in it', got, 'check which file it is')
  }
  const root = name.slice(0, -'data.pkl'.length)
  if (files.has(`${root}constants.pkl`)) {
    refuse(label, 'weights alone', 'a program of TorchScript', 'save its state_dict() with torch.save')
  }
  if (entry.size > maxPickleBytes) {
    refuse(label, `a data.pkl of at most ${maxPickleBytes} bytes`, `${entry.size}`, 'check what the file is')
  }
  return [entry, root]
}

async function checkByteOrder(source: ByteSource, entry: ZipEntry | undefined): Promise<void> {
  if (!entry) return
  const order = new TextDecoder().decode(await source.read(await startOf(source, entry), Math.min(entry.size, 16)))
  if (order === 'little') return
  refuse(source.label, 'little-endian numbers', JSON.stringify(order), 'save it again on another machine')
}

/** Tensors by name: those of the value, or of the one dictionary in it that has any. @throws {CheckpointError} */
function tensorsOf(label: string, value: Pickled): Map<string, Strided> {
  const own = named(value)
  if (own.size > 0) return own
  const parts = value instanceof Map ? [...value] as [Pickled, Pickled][] : [] // entries of a dictionary
  const inside = parts.filter(([, part]) => named(part).size > 0)
  const [first] = inside.filter(([key]) => inside.length === 1 || key === 'state_dict')
  if (first) return named(first[1])
  const keys = inside.map(([key]) => (typeof key === 'string' ? key : 'another'))
  const got = keys.length === 0 ? 'none' : `${keys.length}: ${keys.join(', ')}`
  return refuse(label, 'one dictionary of tensors', got, 'save the one that is meant with torch.save')
}

const named = (value: Pickled): Map<string, Strided> => new Map(value instanceof Map ? [...value].filter(isNamed) : [])

const isNamed = (entry: [unknown, unknown]): entry is [string, Strided] =>
  typeof entry[0] === 'string' && entry[1] instanceof Strided
