import { type Backend, CheckpointError, ConfigError } from '@antipode/core'
import { makeFolder, type StreamedSafetensorsEntry, writeAtomically, writeSafetensors } from '@antipode/core/io'
import { Module } from '@antipode/core/nn'
import { anObject, callable, checkOptions, text } from '@antipode/core/options'
import {
  type Component, type Config, configFile, libraryOf, tokenizerFiles, weightStems,
} from '../checkpoints/index.ts'
import type { ConfiguredModel } from '../registry/index.ts'
import { entriesFrom, entriesOf, type FileDType, saveRanges, type SaveOptions } from './entries.ts'

/** What {@link saveCheckpoint} writes. */
export interface CheckpointParts {
  /** The pipeline that it is of, such as `StableDiffusionPipeline`. */
  readonly className: string
  /** Fields of the pipeline itself. */
  readonly config?: Config
  /**
   * Models, and components as an open checkpoint gives them, by name: `unet`, `vae`, `scheduler`. Those with weights
   * take a `device`.
   */
  readonly components: Readonly<Record<string, ConfiguredModel | Component>>
}

/** Options of {@link saveCheckpoint}. */
export interface SaveCheckpointOptions extends SaveOptions {
  /** A word in the names of the files of weights, such as `fp16`, by which they are asked for. */
  readonly variant?: string
  /** Where the tensors of components pass through, one at a time. Theirs are written as they are stored by default. */
  readonly device?: Backend
  /** Called before each tensor of a component is read, by the names of both. */
  readonly onTensor?: (component: string, name: string) => void
}

/**
 * Writes a pipeline as diffusers lays it out: a folder for each component, and `model_index.json` last, so that a
 * folder with it is whole. Each file appears complete or not at all. Adapters are not written.
 * @throws {ConfigError} on an unknown option, or a name that is no plain folder name
 * @throws {CheckpointError} if it cannot be written @throws {UnsupportedError} where there is no Node
 * @example
 * const scheduler = checkpoint.component('scheduler')
 * await saveCheckpoint('tuned', { className: 'StableDiffusionPipeline', components: { unet, vae, scheduler, … } })
 */
export async function saveCheckpoint(
  folder: string,
  { className, config = {}, components }: CheckpointParts,
  options: SaveCheckpointOptions = {},
): Promise<void> {
  checkOptions('saveCheckpoint', options, {
    ...saveRanges, variant: text, device: anObject('a device'), onTensor: callable,
  })
  const parts = Object.entries(components)
  const odd = parts.find(([name]) => !/^\w[\w-]*$/.test(name))
  if (odd) {
    throw new ConfigError(
      `saveCheckpoint: expected plain folder names for components, got ${JSON.stringify(odd[0])}; rename it`,
    )
  }
  await openSaveFolder(folder)
  for (const [name, part] of parts) {
    options.signal?.throwIfAborted()
    const own = await openSaveFolder(`${folder}/${name}`)
    await saveComponent(own, name, part, options)
  }
  const classes = parts.map(([name, one]) => [name, [libraryOf(one.className), one.className]])
  await writeJson(`${folder}/model_index.json`, { _class_name: className, ...config, ...Object.fromEntries(classes) })
}

/** Makes a folder. @throws {CheckpointError} if the system refuses */
export async function openSaveFolder(folder: string): Promise<string> {
  try {
    await makeFolder(folder)
    return folder
  } catch (cause) {
    throw new CheckpointError(
      `saveCheckpoint: expected a folder at ${JSON.stringify(folder)}, got ${String(cause)}; choose another place`,
      { cause },
    )
  }
}

/** Writes the files of one component into its folder. */
export async function saveComponent(
  folder: string,
  name: string,
  part: ConfiguredModel | Component,
  options: SaveCheckpointOptions,
): Promise<void> {
  if (part instanceof Module) {
    const { dtype = 'f32' } = options
    return saveWeights(folder, part, entriesOf(part.namedParameters(), dtype), options)
  }
  if (configFile(part.className) !== 'config.json') return saveTexts(folder, part)
  const { device, dtype, onTensor } = options
  if (!device) {
    throw new ConfigError(
      'saveCheckpoint: expected a model, a scheduler or a tokenizer, ' +
        `got a component of ${part.className}; load it first, or pass a device`,
    )
  }
  const entries = entriesFrom(await part.weights(), device, dtype, (tensor) => onTensor?.(name, tensor))
  const config = dtype === undefined ? part.config : withType(part.config, dtype)
  return saveWeights(folder, { className: part.className, config }, entries, options)
}

/** @param named whose configuration and library it is */
async function saveWeights(
  folder: string,
  named: Pick<ConfiguredModel, 'className' | 'config'>,
  entries: readonly StreamedSafetensorsEntry[],
  { dtype: _, variant, device: __, onTensor: ___, ...write }: SaveCheckpointOptions,
): Promise<void> {
  const library = libraryOf(named.className)
  const file = `${folder}/${weightStems[library]}${variant === undefined ? '' : `.${variant}`}.safetensors`
  // transformers reads no file that does not say whose layout its tensors have.
  await writeSafetensors(file, entries, { ...write, metadata: { format: 'pt' } })
  const told = library === 'transformers' ? { architectures: [named.className] } : { _class_name: named.className }
  await writeJson(`${folder}/config.json`, { ...told, ...named.config })
}

/** The element type that transformers keeps in configurations, where it is there. */
function withType(config: Config, dtype: FileDType): Config {
  const word = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' }[dtype]
  return Object.fromEntries(Object.entries(config).map(([k, v]) => [k, k === 'dtype' || k === 'torch_dtype' ? word : v]))
}

async function saveTexts(folder: string, part: Component): Promise<void> {
  const file = configFile(part.className)
  await writeJson(`${folder}/${file}`, part.config)
  if (file !== 'tokenizer_config.json') return
  for (const name of tokenizerFiles) {
    const content = await part.text(name)
    if (content !== undefined) await writeText(`${folder}/${name}`, content)
  }
}

/** Fields that transformers refuses where they are written as whole numbers. */
const decimals = /("(?:initializer_factor|initializer_range|attention_dropout|dropout|layer_norm_eps)": -?\d+)(?=,?$)/gm

const writeJson = (file: string, value: object): Promise<void> =>
  writeText(file, `${JSON.stringify(value, undefined, 2).replace(decimals, '$1.0')}\n`)

async function writeText(file: string, content: string): Promise<void> {
  async function* chunks(): AsyncIterable<Uint8Array> {
    yield new TextEncoder().encode(content)
  }
  await writeAtomically('saveCheckpoint', file, chunks())
}
