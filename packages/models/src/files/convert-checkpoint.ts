import { type Backend, CheckpointError } from '@antipode/core'
import { readTensors, type StreamedSafetensorsEntry, type TensorFile, writeSafetensors } from '@antipode/core/io'
import { stateOf, type StateSource } from '@antipode/core/nn'
import { callable, checkOptions, oneOf } from '@antipode/core/options'
import {
  type CheckpointSource, type Component, configFile, isOneFile, openCheckpoint, type OpenCheckpoint,
  type OpenCheckpointOptions, originalState, readingOf,
} from '../checkpoints/index.ts'
import { entriesFrom, type FileDType } from './entries.ts'
import { openSaveFolder, saveCheckpoint, type SaveCheckpointOptions, saveComponent } from './save-checkpoint.ts'

/** Options of {@link convertCheckpoint}, beside those of opening the source. */
export interface ConvertOptions extends Omit<OpenCheckpointOptions, 'onProgress'> {
  /** Element type to write; that of each tensor by default, f16 for quantised ones. */
  readonly dtype?: FileDType
  /** Called before each tensor. */
  readonly onTensor?: (progress: ConvertProgress) => void
}

/** How far a conversion is. */
export interface ConvertProgress {
  readonly name: string
  /** Tensors written before, and all of them. */
  readonly done: number
  readonly total: number
}

/** What became of a checkpoint. */
export interface Converted {
  /** What it is now. */
  readonly layout: 'a folder of diffusers' | 'one file with the names of the original code' | 'one file with the names it had'
  readonly tensors: number
  /** What the new layout has no place for, in words. */
  readonly lost: readonly string[]
}

/**
 * Writes a checkpoint in another layout or element type, a tensor at a time.
 *
 * - to a path that ends in `.safetensors`: one file. A folder of Stable Diffusion gets the names of the original code, as
 *   most programs read them; a file (safetensors, `.ckpt`, `.pt`, `.bin`, GGUF) keeps the names it has
 * - to any other path: a folder as diffusers has it, of a whole pipeline or of one model
 *
 * What is there already is replaced.
 * @param device where tensors pass through, one at a time; it needs no more memory than the largest takes
 * @throws {CheckpointError} if the source cannot be opened or fits no such layout, a number is out of the range of f16,
 * or the target cannot be written @throws {ConfigError} on an unknown option
 * @example
 * await convertCheckpoint(device, 'v1-5-pruned.ckpt', 'sd15', { dtype: 'f16', tokenizer: 'clip-vit-large-patch14' })
 */
export async function convertCheckpoint(
  device: Backend,
  source: CheckpointSource,
  path: string,
  options: ConvertOptions = {},
): Promise<Converted> {
  const { dtype, onTensor, ...opening } = options
  checkOptions('convertCheckpoint', { dtype, onTensor }, { dtype: oneOf('f32', 'f16', 'bf16'), onTensor: callable })
  const toFile = /\.safetensors$/i.test(path)
  const write = { device, ...(dtype ? { dtype } : {}), ...(opening.signal ? { signal: opening.signal } : {}) }
  if (toFile && await isOneFile(source)) {
    // One file is a source of files.
    await using file = await readTensors(source as Parameters<typeof readTensors>[0], readingOf(opening))
    const state = stateOf(file)
    const watch = counter(countOf(state), onTensor)
    const entries = [...entriesFrom(state, device, dtype, watch), ...plain(file, state)]
    await writeSafetensors(path, entries, { ...signalOf(write), metadata: textsOf(file) })
    return { layout: 'one file with the names it had', tensors: entries.length, lost: [] }
  }
  await using checkpoint = await openCheckpoint(source, opening)
  return await (toFile ? toOneFile : toFolder)(checkpoint, path, write, onTensor)
}

type Write = Required<Pick<SaveCheckpointOptions, 'device'>> & Pick<SaveCheckpointOptions, 'dtype' | 'signal'>

const signalOf = ({ signal }: Write): { signal?: AbortSignal } => (signal ? { signal } : {})

async function toOneFile(
  checkpoint: OpenCheckpoint, path: string, write: Write, onTensor: ConvertOptions['onTensor'],
): Promise<Converted> {
  const { parts, metadata, flags, lost } = await originalState(checkpoint)
  const watch = counter(parts.reduce((n, part) => n + countOf(part), 0), onTensor)
  const entries = [
    ...parts.flatMap((part) => entriesFrom(part, write.device, write.dtype, watch)),
    ...flags.map((name): StreamedSafetensorsEntry => ({ name, dtype: 'F32', shape: [], data: Float32Array.of(0) })),
  ]
  await writeSafetensors(path, entries, { ...signalOf(write), metadata: { format: 'pt', ...metadata } })
  return { layout: 'one file with the names of the original code', tensors: entries.length, lost }
}

async function toFolder(
  checkpoint: OpenCheckpoint, path: string, write: Write, onTensor: ConvertOptions['onTensor'],
): Promise<Converted> {
  const { className, config, components } = checkpoint
  const kept = [...components].filter(([, part]) => isKnown(part))
  // What a file does not hold is missed before gigabytes are written.
  for (const [, part] of kept) if (/Tokenizer(Fast)?$/.test(part.className)) await part.text('vocab.json')
  const counts = await Promise.all(kept.map(async ([, part]) => (hasWeights(part) ? countOf(await part.weights()) : 0)))
  const tensors = counts.reduce((a, b) => a + b, 0)
  const watch = counter(tensors, onTensor)
  const options = { ...write, onTensor: (component: string, name: string) => { watch(`${component}.${name}`) } }
  const [[name, only] = []] = kept
  if (kept.length === 1 && components.size === 1 && name !== undefined && only) {
    await openSaveFolder(path)
    await saveComponent(path, name, only, options)
  } else {
    await saveCheckpoint(path, { className, config, components: Object.fromEntries(kept) }, options)
  }
  const lost = [...components.keys()].filter((one) => !kept.some(([own]) => own === one))
  return { layout: 'a folder of diffusers', tensors, lost }
}

const hasWeights = ({ className }: Component): boolean => configFile(className) === 'config.json'

/** Whether it is of diffusers or transformers: pipelines may hold classes of their own, such as a safety checker. */
const isKnown = (part: Component): boolean =>
  !hasWeights(part) || /^(UNet|Autoencoder|CLIP|ControlNet)/.test(part.className)

/** Tensors of real numbers. */
const countOf = (state: StateSource): number =>
  [...state.names()].filter((name) => state.info(name)?.reads.includes('f32')).length

function counter(total: number, onTensor: ConvertOptions['onTensor']): (name: string) => void {
  let done = 0
  return (name) => { onTensor?.({ name, done: done++, total }) }
}

/** Tensors of whole numbers and the like, byte for byte. */
function plain(file: TensorFile, state: StateSource): StreamedSafetensorsEntry[] {
  return Array.from(file.tensors).flatMap(([name, { dtype, shape }]): StreamedSafetensorsEntry[] => {
    if (state.info(name)?.reads.includes('f32')) return []
    if (isStorable(dtype)) return [{ name, dtype, shape, data: () => file.read(name) }]
    throw new CheckpointError(
      `convertCheckpoint: expected ${name} in an element type that can be multiplied out, got ${dtype}; take another file`,
    )
  })
}

const others = ['F64', 'I64', 'I32', 'I16', 'I8', 'U64', 'U32', 'U16', 'U8', 'BOOL', 'F8_E4M3', 'F8_E5M2', 'F8_E8M0'] as const
const isStorable = (dtype: string): dtype is typeof others[number] => (others as readonly string[]).includes(dtype)

/** The header's texts, but for digests, which are of other bytes. */
function textsOf({ metadata }: TensorFile): Record<string, string> {
  const { sha256: _, ...rest } = metadata
  return rest
}
