import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CheckpointError } from '@antipode/core'
import { bytesStored, readTensors } from '@antipode/core/io'
import { stateOf, type StateSource } from '@antipode/core/nn'
import { identify, type Identity, openCheckpoint } from '@antipode/models'

/** Options of {@link runInspect}. */
export interface InspectOptions {
  readonly path: string
  readonly signal: AbortSignal
}

/** Tensors of a file or of a part, counted. */
export interface Counted {
  readonly tensors: number
  readonly parameters: number
  /** Tensors by element type, as the file calls them, and the bytes that they take there. */
  readonly types: Readonly<Record<string, { readonly tensors: number; readonly bytes: number }>>
}

/** What a file or folder is, what it holds, and what would load it. */
export interface InspectResult {
  readonly path: string
  readonly what: string
  readonly opens: string
  readonly parts: readonly (Counted & { readonly name: string; readonly className: string })[]
  readonly metadata: Readonly<Record<string, string>>
}

/** Says what a checkpoint or an adapter is; its weights are not read. */
export async function runInspect({ path, signal }: InspectOptions): Promise<InspectResult> {
  return (await stat(path)).isDirectory() ? await inspectFolder(path, signal) : await inspectFile(path, signal)
}

const weightFile = /\.(safetensors|ckpt|pt|pth|bin|gguf)$/i

async function inspectFolder(path: string, signal: AbortSignal): Promise<InspectResult> {
  const names = await readdir(path)
  const files = names.filter((name) => weightFile.test(name))
  if (files.length > 0 && !names.some((name) => name === 'model_index.json' || name === 'config.json')) {
    return await inspectFiles(path, files, signal)
  }
  await using checkpoint = await openCheckpoint(path, { signal })
  const parts: InspectResult['parts'][number][] = []
  for (const [name, { className, weights }] of checkpoint.components) {
    // Schedulers and tokenizers have none.
    const state = /Scheduler$|Tokenizer(Fast)?$|(Extractor|Processor)$/.test(className) ? undefined : await weights()
    parts.push({ name, className, ...(state ? counted(state) : { tensors: 0, parameters: 0, types: {} }) })
  }
  const whole = checkpoint.components.size > 1
  return {
    path, what: `${whole ? 'a folder of' : 'a model,'} ${checkpoint.className}`, parts, metadata: {},
    opens: openedBy(whole ? 'checkpoint' : checkpoint.className.startsWith('Autoencoder') ? 'vae' : 'unet', path),
  }
}

/** A folder of files that say nothing of each other. */
async function inspectFiles(path: string, files: readonly string[], signal: AbortSignal): Promise<InspectResult> {
  const parts: InspectResult['parts'][number][] = []
  const kinds = new Set<Identity['kind']>()
  for (const name of files) {
    await using file = await readTensors(join(path, name), { signal })
    const state = stateOf(file)
    const { kind, what } = identify(state)
    kinds.add(kind)
    parts.push({ name, className: what, ...counted(state) })
  }
  const opens = kinds.size === 1 && kinds.has('tiny-vae') ? openedBy('tiny-vae', path) : 'the command for each: inspect them one by one'
  return { path, what: 'a folder of weights without a configuration', parts, metadata: {}, opens }
}

async function inspectFile(path: string, signal: AbortSignal): Promise<InspectResult> {
  await using file = await readTensors(path, { signal })
  const state = stateOf(file)
  const { kind, what } = identify(state)
  const metadata = Object.fromEntries(Object.entries(file.metadata).filter(([, text]) => text.length <= 200))
  return { path, what, opens: openedBy(kind, path), parts: [{ name: '', className: kind, ...counted(state) }], metadata }
}

function counted(state: StateSource): Counted {
  const types = new Map<string, { readonly tensors: number; readonly bytes: number }>()
  let [tensors, parameters] = [0, 0]
  for (const name of state.names()) {
    const info = state.info(name)
    if (!info) throw new CheckpointError(`inspect: expected a tensor named ${JSON.stringify(name)}, got none`)
    tensors++
    const size = info.shape.reduce((a, b) => a * b, 1)
    parameters += size
    const { tensors: known, bytes } = types.get(info.dtype) ?? { tensors: 0, bytes: 0 }
    types.set(info.dtype, { tensors: known + 1, bytes: bytes + (bytesStored(info.dtype, size) ?? 0) })
  }
  return { tensors, parameters, types: Object.fromEntries(types) }
}

/** What takes a file of a kind. */
function openedBy(kind: Identity['kind'], path: string): string {
  const name = JSON.stringify(path)
  const known: Partial<Record<Identity['kind'], string>> = {
    checkpoint: `antipode generate --model ${name}, or loadPipeline(device, ${name})`,
    lora: `antipode generate --adapter ${name}, or pipe.adapters.load(name, ${name})`,
    vae: `antipode reconstruct IMAGE --model ${name}, or loadAutoencoder(device, ${name})`,
    'tiny-vae': `antipode generate --preview-decoder ${name}, antipode reconstruct IMAGE --model ${name}, or loadAutoencoder(device, ${name})`,
    embedding: `readTextualInversion(${name})`,
    unknown: 'nothing here',
  }
  return known[kind] ?? `openCheckpoint(${name})`
}
