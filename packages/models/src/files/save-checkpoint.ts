import { CheckpointError, ConfigError } from '@antipode/core'
import { makeFolder, writeAtomically, writeSafetensors } from '@antipode/core/io'
import { Module } from '@antipode/core/nn'
import { checkOptions, text } from '@antipode/core/options'
import { type Component, type Config, configFile, libraryOf, tokenizerFiles, weightStems } from '../checkpoints/index.ts'
import type { ConfiguredModel } from '../registry/index.ts'
import { entriesOf, saveRanges, type SaveOptions } from './entries.ts'

/** What {@link saveCheckpoint} writes. */
export interface CheckpointParts {
  /** The pipeline that it is of, such as `StableDiffusionPipeline`. */
  readonly className: string
  /** Fields of the pipeline itself. */
  readonly config?: Config
  /**
   * Models, and schedulers and tokenizers as an open checkpoint gives them, by name: `unet`, `vae`, `scheduler`. A
   * component of another checkpoint that has weights is not taken: load it into a model first.
   */
  readonly components: Readonly<Record<string, ConfiguredModel | Component>>
}

/** Options of {@link saveCheckpoint}. */
export interface SaveCheckpointOptions extends SaveOptions {
  /** A word in the names of the files of weights, such as `fp16`, by which they are asked for. */
  readonly variant?: string
}

/**
 * Writes a pipeline as diffusers lays it out: a folder for each component, and `model_index.json` last, so that a folder
 * with it is whole. Each file appears complete or not at all. Adapters are not written.
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
  checkOptions('saveCheckpoint', options, { ...saveRanges, variant: text })
  const parts = Object.entries(components)
  const odd = parts.find(([name]) => !/^\w[\w-]*$/.test(name))
  if (odd) {
    throw new ConfigError(
      `saveCheckpoint: expected plain folder names for components, got ${JSON.stringify(odd[0])}; rename it`,
    )
  }
  await open(folder)
  for (const [name, part] of parts) {
    options.signal?.throwIfAborted()
    const own = await open(`${folder}/${name}`)
    await (part instanceof Module ? saveModelFiles(own, part, options) : saveTexts(own, part))
  }
  const classes = parts.map(([name, one]) => [name, [libraryOf(one.className), one.className]])
  await writeJson(`${folder}/model_index.json`, { _class_name: className, ...config, ...Object.fromEntries(classes) })
}

/** Makes a folder. @throws {CheckpointError} if the system refuses */
async function open(folder: string): Promise<string> {
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

async function saveModelFiles(folder: string, model: ConfiguredModel, options: SaveCheckpointOptions): Promise<void> {
  const { dtype = 'f32', variant, ...write } = options
  const library = libraryOf(model.className)
  const file = `${folder}/${weightStems[library]}${variant === undefined ? '' : `.${variant}`}.safetensors`
  // transformers reads no file that does not say whose layout its tensors have.
  await writeSafetensors(file, entriesOf(model.namedParameters(), dtype), { ...write, metadata: { format: 'pt' } })
  const named = library === 'transformers' ? { architectures: [model.className] } : { _class_name: model.className }
  await writeJson(`${folder}/config.json`, { ...named, ...model.config })
}

async function saveTexts(folder: string, part: Component): Promise<void> {
  const file = configFile(part.className)
  if (file === 'config.json') {
    throw new ConfigError(
      `saveCheckpoint: expected a model, a scheduler or a tokenizer, got a component of ${part.className}; load it first`,
    )
  }
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
