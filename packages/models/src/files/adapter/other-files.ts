import { CheckpointError } from '@antipode/core'
import type { Module, Shaped } from '@antipode/core/nn'
import type { Component } from './components.ts'
import { partOf } from './part-names.ts'
import { componentNamed, layersOf } from './places.ts'

/** Tensors of a file, by name. */
export type Shapes = ReadonlyMap<string, Shaped>

/** Families of Stable Diffusion by the width of the tokens that their cross-attention takes. */
const families: ReadonlyMap<number, string> = new Map([
  [768, 'Stable Diffusion 1.x'], [1024, 'Stable Diffusion 2.x'], [2048, 'Stable Diffusion XL'],
  [1280, 'the refiner of Stable Diffusion XL'],
])

/** Text encoders by their width. */
const towers: ReadonlyMap<number, string> = new Map([[768, 'CLIP-L'], [1024, 'OpenCLIP-H'], [1280, 'OpenCLIP-bigG']])

/** Adapters of other architectures, by names that only these have. */
const foreign: readonly (readonly [RegExp, string])[] = [
  [/(double|single)_blocks[._]\d|single_transformer_blocks[._]/, 'Flux'],
  [/(^|[._])(joint_blocks|attn[._]add_[qkv]_proj)[._]/, 'Stable Diffusion 3'],
  [/^(transformer|lora_transformer)[._]/, 'a diffusion transformer'],
  [/^(diffusion_model\.|lora_unet_|base_model\.model\.)?blocks[._]\d+[._](self|cross)_attn/, 'Wan'],
  [/motion_modules?[._]/, 'the motion module of AnimateDiff'],
]

/** Files that are no adapters, by names that only these have, and what to do with them. */
const others: readonly (readonly [RegExp, string, string])[] = [
  [/^(control_model|controlnet_cond_embedding|input_hint_block)\./, 'a ControlNet', 'load it as one'],
  [/motion_modules?\./, 'a motion module of AnimateDiff', 'load it as one'],
  [/^(image_proj|ip_adapter)\./, 'an IP-Adapter', 'load it as one'],
  [/^model\.diffusion_model\./, 'a whole pipeline', 'take what it adds to a model by loadOffset'],
  [/^(unet\.)?(down_blocks|up_blocks|mid_block|input_blocks)\./, 'a whole UNet', 'take what it adds to a model by loadOffset'],
  [/^(first_stage_model|encoder\.(down|conv_in)|decoder\.(up|conv_in)|(post_)?quant_conv)/, 'an autoencoder', 'load it as one'],
  [/^(cond_stage_model|conditioner|text_model|transformer\.resblocks)\./, 'a text encoder', 'load it as one'],
]

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
export function refuseOtherFiles(tensors: Shapes, targets: ReadonlyMap<Component, Module>, found: number): void {
  const names = [...tensors.keys()]
  const refuse = (got: string, remedy: string): never => {
    throw new CheckpointError(`loadAdapter: expected an adapter of ${[...targets.keys()].join(', ')}, got ${got}; ${remedy}`)
  }
  if (found === 0) {
    const embedding = embeddingOf(tensors)
    if (embedding !== undefined) refuse(embedding, 'give it to the tokenizer and the text encoder')
    const adapter = names.find((name) => partOf(name) && !name.endsWith('.alpha'))
    if (adapter === undefined) {
      const [, what, remedy] = others.find(([pattern]) => names.some((name) => pattern.test(name))) ?? []
      if (what) refuse(`${what}${familyOf(tensors)}`, remedy as string)
      refuse(`${names.length} tensors, such as ${names[0] ?? 'none'}`, 'see what the file is')
    }
    const [, what] = foreign.find(([pattern]) => names.some((name) => pattern.test(name))) ?? []
    if (what) refuse(`one of ${what} (${adapter})`, 'load it on such a model')
  }
  for (const [component, model] of targets) {
    const widths = component === 'unet' ? tokenWidth : textWidth(component)
    const [own, got] = [widths(shapesOf(model)), widths(tensors)]
    if (own === undefined || got === undefined || own === got) continue
    const [what, known] = component === 'unet'
      ? ['whose cross-attention takes tokens of width', families] as const
      : ['of width', towers] as const
    throw new CheckpointError(
      `loadAdapter: expected an adapter of a ${component} ${what} ${told(own, known)}, got one of ${told(got, known)}; ` +
        'load it on such a model',
    )
  }
}

/**
 * Refuses a checkpoint whose weights are not those of the model's architecture, as far as names and shapes tell.
 * @throws {CheckpointError} that says what the file is, what was expected, and what to do
 */
export function refuseOtherWeights(tensors: Shapes, model: Module): void {
  const adapter = [...tensors.keys()].find((name) => partOf(name))
  if (adapter !== undefined) {
    throw new CheckpointError(
      `loadOffset: expected the weights of a whole model, got an adapter (${adapter}); load it by loadAdapter`,
    )
  }
  const [own, got] = [tokenWidth(shapesOf(model)), tokenWidth(tensors)]
  if (own === undefined || got === undefined || own === got) return
  throw new CheckpointError(
    `loadOffset: expected weights of a model whose cross-attention takes tokens of width ${told(own, families)}, got those ` +
      `of one of ${told(got, families)}; load it on such a model`,
  )
}

/** The family that the cross-attention of a whole model is of, in words. */
function familyOf(tensors: Shapes): string {
  const family = families.get(tokenWidth(tensors) ?? 0)
  return family === undefined ? '' : ` of ${family}`
}

/** The weights of a model's layers, by name. */
function shapesOf(model: Module): Shapes {
  return new Map([...layersOf(model)].map(([name, { weightShape }]) => [`${name}.weight`, { shape: weightShape }]))
}

/** The width of the inputs of the first layer whose name ends so; undefined if there is none. */
function inputsOf(tensors: Shapes, layer: RegExp): number | undefined {
  for (const [name, { shape }] of tensors) {
    const { stem, part } = partOf(name) ?? { stem: name.replace(/\.weight$/, ''), part: 'diff' }
    if ((part === 'a' || part === 'diff') && layer.test(stem)) return shape[1]
  }
  return undefined
}

const tokenWidth = (tensors: Shapes): number | undefined => inputsOf(tensors, /attn2[._]to_k$/)

/** The width of a text encoder, by tensors that are for it or for no component in particular. */
function textWidth(component: Component): (tensors: Shapes) => number | undefined {
  return (tensors) => {
    const own = [...tensors].filter(([name]) => (componentNamed(name) ?? component) === component)
    return inputsOf(new Map(own), /self_attn[._]q_proj$/)
  }
}

/** What an embedding of textual inversion is, in words; undefined if the tensors are none. */
function embeddingOf(tensors: Shapes): string | undefined {
  const widths = [...tensors].map(([name, { shape }]) => (/\.(weight|bias)$/.test(name) || shape.length > 2 ? undefined : shape.at(-1)))
  const known = widths.map((width) => towers.get(width ?? 0))
  if (known.length === 0 || known.length > 4 || known.includes(undefined)) return undefined
  return `an embedding of textual inversion for ${[...new Set(known)].join(' and ')} (${[...tensors.keys()].join(', ')})`
}
