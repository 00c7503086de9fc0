import { ConfigError } from '@antipode/core'
import {
  type DirectoryHandle, type Folder, type FolderSource, isFolder, locate, readRanges, type SafetensorsSource,
} from '@antipode/core/io'
import { callable, checkArgument, checkOptions, oneOf, type Range, type Ranges, text } from '@antipode/core/options'
import type { Component, LoadProgress, OpenCheckpoint } from './checkpoint.ts'
import type { PredictionType } from './defaults.ts'
import { type Contents, readModel, readPipeline } from './diffusers-folder.ts'
import { folderAt, type ReadingOptions, readingOf } from './folder-at.ts'
import { hubAddress } from './hub.ts'
import { OpenFiles } from './open-files.ts'
import { refuse } from './refuse.ts'
import { readSingleFile } from './single-file.ts'
import { watched } from './watched.ts'

/**
 * Where a checkpoint is: a folder (a path in Node, the address below which its files are, a
 * `FileSystemDirectoryHandle`, or files by their paths), or one file (a path, an address, a Blob or bytes). Addresses
 * are http(s), or `hf:owner/name` and `hf:owner/name@revision/path` for a repository of Hugging Face, by the package
 * `@huggingface/hub`.
 */
export type CheckpointSource = FolderSource | SafetensorsSource

/** Options of {@link openCheckpoint}. */
export interface OpenCheckpointOptions extends ReadingOptions {
  /**
   * Which of several files of weights to take: `fp16` for `diffusion_pytorch_model.fp16.safetensors`. A component that
   * has none of that variant gives its plain one. The plain one by default, or f16 where there is no other.
   */
  readonly variant?: string
  /**
   * Of a checkpoint in one file: what its UNet was trained to predict. Stable Diffusion 2 needs it, as neither names
   * nor shapes of its tensors tell; the others predict `epsilon` unless the file itself says `v_prediction`.
   */
  readonly predictionType?: PredictionType
  /** Of a checkpoint in one file: where `vocab.json` and `merges.txt` of its tokenizers are, which it does not hold. */
  readonly tokenizer?: FolderSource
  /** Called after each tensor that is read. */
  readonly onProgress?: (progress: LoadProgress) => void
}

const weightFile = /\.(safetensors|ckpt|pt|pth|bin|gguf|index\.json)$/i

/**
 * Opens a checkpoint and says what it is: its pipeline, and each component with its configuration and a way to its
 * weights. No weights are read. Dispose of it once they are loaded.
 *
 * @throws {CheckpointError} that says what is there, what was expected and what to do
 * @throws {ConfigError} on an unknown option @throws {UnsupportedError} for a path where there is no Node
 * @example
 * await using checkpoint = await openCheckpoint('stable-diffusion-v1-5', { variant: 'fp16' })
 * const { config, weights } = checkpoint.component('unet')
 * await new UNet2DConditionModel(placeholders(device, { dtype: 'f16' }), config).load(await weights())
 */
export async function openCheckpoint(
  source: CheckpointSource,
  options: OpenCheckpointOptions = {},
): Promise<OpenCheckpoint> {
  checkArgument('openCheckpoint', 'the source', source, aSource)
  checkOptions('openCheckpoint', options, checkpointRanges)
  const { variant, onProgress, predictionType: prediction, tokenizer } = options
  const read = readingOf(options)
  read.signal?.throwIfAborted()
  const files = new OpenFiles(read)
  const folder = (place: FolderSource): Promise<Folder> => folderAt(place, options)
  try {
    const oneFile = await isOneFile(source)
    checkKind(source, oneFile, options)
    const hints = { prediction, tokenizer: tokenizer === undefined ? undefined : await folder(tokenizer) }
    const contents = oneFile ? await readSingleFile(await fileAt(source as SafetensorsSource, folder), files, hints) :
      await readFolder(await folder(source as FolderSource), files, variant)
    const seen = (name: string, one: Component): Component => (onProgress ? observed(name, one, onProgress) : one)
    const components = new Map(Array.from(contents.components, ([name, one]) => [name, seen(name, one)]))
    return {
      ...contents,
      components,
      component: (name) => components.get(name) ?? lacking(contents, name),
      [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
    }
  } catch (error) {
    await files[Symbol.asyncDispose]()
    throw error
  }
}

function lacking({ className, components }: Contents, name: string): never {
  const there = Array.from(components, ([own, one]) => `${own} (${one.className})`).join(', ')
  return refuse(`a checkpoint with ${name}`, `${className} with ${there || 'nothing'}`, 'open one that has it')
}

const aFolder: Range = {
  expected: 'a folder, or files by their paths',
  accepts: (v) => typeof v === 'string' || typeof v === 'object' && v !== null,
}

const aCache: Range = {
  expected: 'a FileCache or false',
  accepts: (v) => v === false || typeof v === 'object' && v !== null,
}

const { shards: _none, ...fileRanges } = readRanges

/** Ranges of {@link OpenCheckpointOptions}, for functions that pass them on. */
export const checkpointRanges: Ranges<OpenCheckpointOptions> = {
  ...fileRanges, cache: aCache, variant: text, onProgress: callable,
  predictionType: oneOf('epsilon', 'v_prediction'), tokenizer: aFolder, revision: text, token: text, hubUrl: text,
}

/** @throws {ConfigError} on an option that says nothing of such a source */
function checkKind(source: CheckpointSource, oneFile: boolean, options: OpenCheckpointOptions): void {
  const check = (what: string, idle: readonly (keyof OpenCheckpointOptions)[]): void => {
    const odd = idle.find((name) => options[name] !== undefined)
    if (!odd) return
    throw new ConfigError(
      `openCheckpoint: expected no ${odd} for a checkpoint ${what}, got one; leave it out`,
    )
  }
  if (oneFile) check('in one file, which says it by itself', ['variant'])
  else check('in a folder, which says it by itself', ['predictionType', 'tokenizer'])
  if (!hubAddress(source)) check('that is not at hf:owner/name', ['revision', 'token', 'hubUrl'])
}

/** A file, or what the hub has at an address. */
async function fileAt(
  source: SafetensorsSource,
  folder: (place: FolderSource) => Promise<Folder>,
): Promise<SafetensorsSource> {
  const address = hubAddress(source)
  if (!address) return source
  const { name: repository, revision, path } = address
  const cut = path.lastIndexOf('/') + 1
  const place = await folder(`hf:${repository}${revision === undefined ? '' : `@${revision}`}/${path.slice(0, cut)}`)
  const name = path.slice(cut)
  return await place.file(name) ?? refuse(`${name} in ${place.label}`, 'none', 'check its spelling')
}

/**
 * Whether a source is one file, by what it is, its name and the disk.
 * @throws {CheckpointError} if it is a path to nothing, or to a file that says what a folder holds
 */
export async function isOneFile(source: CheckpointSource): Promise<boolean> {
  if (source instanceof Blob || source instanceof Uint8Array) return true
  if (source instanceof Map || isHandle(source)) return false
  const address = hubAddress(source)
  if (address) return weightFile.test(address.path)
  if (typeof source === 'object' && 'stream' in source) return true
  const place = locate(source as string | URL) // nothing else is left
  if (place instanceof URL) return weightFile.test(place.pathname)
  const folder = await isFolder(place)
  if (folder === undefined) {
    const advice = /^[\w.-]+\/[\w.-]+$/.test(place) ? `check the path, or write hf:${place} for a repository of Hugging Face` : 'check the path'
    refuse(`a folder or a file at ${JSON.stringify(place)}`, 'none', advice)
  }
  if (!folder && /\b(model_index|config)\.json$/.test(place)) refuse('a folder, or a file of weights', JSON.stringify(place), 'pass the folder that it is in')
  return !folder
}

const aSource: Range = {
  expected: 'a path or an address, a Blob, bytes, a directory or files by their paths',
  accepts: (v) => typeof v === 'string' ? v !== '' : typeof v === 'object' && v !== null,
}

const isHandle = (source: CheckpointSource): source is DirectoryHandle =>
  typeof source === 'object' && 'getFileHandle' in source

async function readFolder(folder: Folder, files: OpenFiles, variant: string | undefined): Promise<Contents> {
  const contents = await readPipeline(folder, files, variant) ?? await readModel(folder, files, variant)
  if (contents) return contents
  const inside = await folder.names()
  const file = inside.find((name) => weightFile.test(name))
  return refuse(
    `${folder.label} to have model_index.json, as pipelines of diffusers do, or config.json, as their models do`,
    inside.length === 0 ? 'neither' : `neither among ${inside.slice(0, 8).join(', ')}`,
    file === undefined ? 'check the path' : `to open ${file}, pass the path of that file`,
  )
}

function observed(name: string, component: Component, onProgress: (progress: LoadProgress) => void): Component {
  return {
    className: component.className,
    get config() {
      return component.config
    },
    weights: async () => watched(await component.weights(), name, onProgress),
    text: component.text,
  }
}
