import type { Folder } from '@antipode/core/io'
import { stateOf, type StateSource } from '@antipode/core/nn'
import type { Component, Config } from './checkpoint.ts'
import { identify, type Identity } from './identify.ts'
import { parseConfig } from './json.ts'
import { configFile } from './layout.ts'
import type { OpenFiles } from './open-files.ts'
import { refuse } from './refuse.ts'
import { openWeights } from './weight-files.ts'

/** A checkpoint before its weights are watched and its files are closed. */
export interface Contents {
  readonly className: string
  readonly config: Config
  readonly components: ReadonlyMap<string, Component>
}

/** A pipeline as diffusers saves it: `model_index.json`, and a folder for each component. Undefined if it is none. */
export async function readPipeline(
  folder: Folder,
  files: OpenFiles,
  variant: string | undefined,
): Promise<Contents | undefined> {
  const text = await folder.text('model_index.json')
  if (text === undefined) return undefined
  const index = parseConfig(`model_index.json in ${folder.label}`, text)
  const className = index['_class_name']
  if (typeof className !== 'string') {
    return refuse(
      `_class_name in model_index.json of ${folder.label} to name a pipeline`, JSON.stringify(className) ?? 'none',
      'download it again',
    )
  }
  const parts = Object.entries(index).filter((entry): entry is [string, Pair] => isPair(entry[1]))
  const present = parts.flatMap(([name, [library, ownClass]]) =>
    (ownClass === null ? [] : [{ name, library, ownClass }]))
  const odd = present.find(({ name }) => !/^\w[\w-]*$/.test(name))
  if (odd) {
    return refuse(
      `components in model_index.json of ${folder.label} to be named by plain folder names`, JSON.stringify(odd.name),
      'download it again',
    )
  }
  const made = present.map(async ({ name, library, ownClass }) => {
    const component = await readComponent({ folder, at: `${name}/`, className: ownClass, library, files, variant })
    return [name, component] as const
  })
  const own = Object.entries(index).filter(([name, value]) => !name.startsWith('_') && !isPair(value))
  return { className, config: Object.fromEntries(own), components: new Map(await Promise.all(made)) }
}

/** Names of components by the class of one that stands alone. */
const roles: Readonly<Record<string, string>> = {
  UNet2DConditionModel: 'unet', AutoencoderKL: 'vae', AutoencoderTiny: 'vae', CLIPTextModel: 'text_encoder',
  CLIPTextModelWithProjection: 'text_encoder', CLIPVisionModelWithProjection: 'image_encoder',
}

/** One model as diffusers or transformers saves it: `config.json` beside its weights. Undefined if it is none. */
export async function readModel(
  folder: Folder,
  files: OpenFiles,
  variant: string | undefined,
): Promise<Contents | undefined> {
  const text = await folder.text('config.json')
  if (text === undefined) return undefined
  const config = parseConfig(`config.json in ${folder.label}`, text)
  const [library, className] = typeof config['_class_name'] === 'string' ? ['diffusers', config['_class_name']] :
    ['transformers', (config['architectures'] as readonly unknown[] | undefined)?.[0]]
  if (typeof className !== 'string') {
    return refuse(
      `config.json in ${folder.label} to name a class by _class_name or architectures`, 'neither',
      'pass the folder of a pipeline, with model_index.json, or of one of its models',
    )
  }
  const component = await readComponent({ folder, at: '', className, library, files, variant })
  return { className, config: {}, components: new Map([[roles[className] ?? 'model', component]]) }
}

/** `[library, class]`, or two nulls for a component that is left out. */
type Pair = readonly [library: string, className: string] | readonly [library: null, className: null]

function isPair(value: unknown): value is Pair {
  if (!Array.isArray(value) || value.length !== 2) return false
  return value.every((part) => part === null) || value.every((part) => typeof part === 'string')
}

async function readComponent({ folder, at, className, library, files, variant }: {
  readonly folder: Folder
  /** Its own folder with its slash, or ''. */
  readonly at: string
  readonly className: string
  readonly library: string
  readonly files: OpenFiles
  readonly variant: string | undefined
}): Promise<Component> {
  const path = at + configFile(className)
  const stored = await folder.text(path)
  // A tokenizer may have nothing but its vocabulary.
  const config = stored === undefined ? (path.endsWith('tokenizer_config.json') ? {} : undefined) :
    parseConfig(`${path} in ${folder.label}`, stored)
  let opened: Promise<StateSource> | undefined
  return {
    className,
    get config() {
      if (config) return config
      return refuse(`${path} in ${folder.label}`, 'none', 'download it')
    },
    weights() {
      opened ??= openWeights(files, folder, at, library, variant).then((file) => {
        const state = stateOf(file)
        checkClass(at === '' ? folder.label : `${at} of ${folder.label}`, className, state)
        return state
      })
      return opened
    },
    text: (file) => folder.text(at + file),
  }
}

/** Kinds of files that classes are made of, with the names of diffusers and transformers. */
const kindOf: Readonly<Record<string, Identity['kind']>> = {
  UNet2DConditionModel: 'unet', AutoencoderKL: 'vae', CLIPTextModel: 'text-encoder',
  CLIPTextModelWithProjection: 'text-encoder',
}

/** @throws {CheckpointError} if weights are known to be of something else */
function checkClass(where: string, className: string, state: StateSource): void {
  const expected = kindOf[className]
  const { kind, names, what } = identify(state)
  if (expected === undefined || kind === 'unknown' || kind === expected && names === 'diffusers') return
  const got = names === 'original' ? `${what} with the names of its original code` : what
  refuse(`weights of ${className} in ${where}`, got, 'put the right file there, or pass that file by itself')
}
