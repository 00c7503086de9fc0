import { CheckpointError } from '@antipode/core'
import type { Module, StateSource } from '@antipode/core/nn'
import { familyNames, identify, type Identity, widths } from '../../checkpoints/index.ts'
import type { AdapterComponent } from './components.ts'
import { partOf } from './part-names.ts'
import { componentNamed, layersOf } from './places.ts'

/** The tensors of a file: their names and shapes. */
type Tensors = Pick<StateSource, 'names' | 'info'>

/** Text encoders by their width. */
const towers: ReadonlyMap<number, string> = new Map([[768, 'CLIP-L'], [1024, 'OpenCLIP-H'], [1280, 'OpenCLIP-bigG']])

/** UNets by the width of the tokens that their cross-attention takes. */
const families: ReadonlyMap<number, string> = new Map(
  [...widths].map(([width, family]) => [width, familyNames[family]]),
)

/** Adapters of other architectures, by names that only these have. */
const foreign: readonly (readonly [RegExp, string])[] = [
  [/(double|single)_blocks[._]\d|single_transformer_blocks[._]/, 'Flux'],
  [/(^|[._])(joint_blocks|attn[._]add_[qkv]_proj)[._]/, 'Stable Diffusion 3'],
  [/^(transformer|lora_transformer)[._]/, 'a diffusion transformer'],
  [/^(diffusion_model\.|lora_unet_|base_model\.model\.)?blocks[._]\d+[._](self|cross)_attn/, 'Wan'],
  [/motion_modules?[._]/, 'the motion module of AnimateDiff'],
]

/** What to do with files that are no adapters. */
const remedies: Readonly<Partial<Record<Identity['kind'], string>>> = {
  unet: 'take what it adds to a model by loadOffset', checkpoint: 'take what its UNet adds to a model by loadOffset',
  embedding: 'read it with readTextualInversion', unknown: 'see what the file is',
}

/** How a width is told to whoever knows models by their names. */
function told(width: number, names: ReadonlyMap<number, string>): string {
  const name = names.get(width)
  return name === undefined ? `${width}` : `${width}, as in ${name}`
}

/**
 * Refuses a file that cannot be an adapter of these models, as far as names and shapes tell.
 * @param found layers of the models that it has tensors for
 * @throws {CheckpointError} that says what the file is, what was expected, and what to do
 */
export function refuseOtherFiles(
  file: StateSource,
  targets: ReadonlyMap<AdapterComponent, Module>,
  found: number,
): void {
  if (found === 0) refuseOtherKinds(file, [...targets.keys()].join(', '))
  for (const [component, model] of targets) {
    const width = component === 'unet' ? tokenWidth : textWidth(component)
    const [own, got] = [width(shapesOf(model)), width(file)]
    if (own === undefined || got === undefined || own === got) continue
    const [what, known] = component === 'unet'
      ? ['whose cross-attention takes tokens of width', families] as const
      : ['of width', towers] as const
    throw new CheckpointError(
      `loadAdapter: expected an adapter of a ${component} ${what} ${told(own, known)}, got one of ` +
        `${told(got, known)}; load it on such a model`,
    )
  }
}

/** @throws {CheckpointError} if the file is no adapter, or one of another architecture */
function refuseOtherKinds(file: StateSource, models: string): void {
  const refuse = (got: string, remedy: string): never => {
    throw new CheckpointError(`loadAdapter: expected an adapter of ${models}, got ${got}; ${remedy}`)
  }
  const names = [...file.names()]
  const adapter = names.find((name) => partOf(name) && !name.endsWith('.alpha'))
  if (adapter === undefined) {
    const embedding = embeddingOf(file)
    if (embedding !== undefined) refuse(embedding, remedies.embedding as string)
    const { kind, what } = identify(file)
    refuse(what, remedies[kind] ?? 'load it as one')
  }
  const [, architecture] = foreign.find(([pattern]) => names.some((name) => pattern.test(name))) ?? []
  if (architecture) refuse(`one of ${architecture} (${adapter})`, 'load it on such a model')
}

/**
 * Refuses a checkpoint whose weights are not those of the model's architecture, as far as names and shapes tell.
 * @throws {CheckpointError} that says what the file is, what was expected, and what to do
 */
export function refuseOtherWeights(file: StateSource, model: Module): void {
  const adapter = [...file.names()].find((name) => partOf(name))
  if (adapter !== undefined) {
    throw new CheckpointError(
      `loadOffset: expected the weights of a whole model, got an adapter (${adapter}); load it by loadAdapter`,
    )
  }
  const [own, got] = [tokenWidth(shapesOf(model)), tokenWidth(file)]
  if (own === undefined || got === undefined || own === got) return
  throw new CheckpointError(
    `loadOffset: expected weights of a model whose cross-attention takes tokens of width ${told(own, families)}, got ` +
      `those of one of ${told(got, families)}; load them on such a model`,
  )
}

/** The weights of a model's layers, by name. */
function shapesOf(model: Module): Tensors {
  const shapes = new Map([...layersOf(model)].map(([name, { weightShape: shape, dtype }]) => (
    [`${name}.weight`, { shape, dtype, reads: [] }]
  )))
  return { names: () => shapes.keys(), info: (name) => shapes.get(name) }
}

/** The width of the inputs of the first layer whose name ends so; undefined if there is none. */
function inputsOf(tensors: Tensors, layer: RegExp, of = (_name: string): boolean => true): number | undefined {
  for (const name of tensors.names()) {
    const { stem, part } = partOf(name) ?? { stem: name.replace(/\.weight$/, ''), part: 'diff' }
    if ((part === 'a' || part === 'diff') && layer.test(stem) && of(name)) return tensors.info(name)?.shape[1]
  }
  return undefined
}

const tokenWidth = (tensors: Tensors): number | undefined => inputsOf(tensors, /attn2[._]to_k$/)

/** The width of a text encoder, by tensors that are for it or for no component in particular. */
function textWidth(component: AdapterComponent): (tensors: Tensors) => number | undefined {
  const own = (name: string): boolean => (componentNamed(name) ?? component) === component
  return (tensors) => inputsOf(tensors, /self_attn[._]q_proj$/, own)
}

/** What an embedding of textual inversion is, in words; undefined if the tensors are none. */
function embeddingOf(tensors: Tensors): string | undefined {
  const all = [...tensors.names()]
  const known = all.map((name) => {
    const { shape = [] } = tensors.info(name) ?? {}
    return /\.(weight|bias)$/.test(name) || shape.length > 2 ? undefined : towers.get(shape.at(-1) ?? 0)
  })
  if (known.length === 0 || known.length > 4 || known.includes(undefined)) return undefined
  return `an embedding of textual inversion for ${[...new Set(known)].join(' and ')} (${all.join(', ')})`
}
