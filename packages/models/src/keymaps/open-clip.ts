import type { Checkpoint, StateSource } from '@antipode/core/nn'
import { fuse } from './fuse.ts'
import { readBackwards, swapped } from './pairs.ts'
import { rename } from './rename.ts'
import { split } from './split.ts'
import { transpose } from './transpose.ts'

type Names = Readonly<Record<string, string>>

/** Tensors outside the layers; the temperature of the contrastive loss has no place in an encoder. */
const outside: Names = {
  positional_embedding: 'text_model.embeddings.position_embedding.weight',
  'token_embedding.weight': 'text_model.embeddings.token_embedding.weight',
  'ln_final.weight': 'text_model.final_layer_norm.weight',
  'ln_final.bias': 'text_model.final_layer_norm.bias',
  text_projection: 'text_projection.weight',
}

/** The same of the vision tower, below `visual.`. */
const outsideVision: Names = {
  class_embedding: 'vision_model.embeddings.class_embedding',
  positional_embedding: 'vision_model.embeddings.position_embedding.weight',
  'conv1.weight': 'vision_model.embeddings.patch_embedding.weight',
  'ln_pre.weight': 'vision_model.pre_layrnorm.weight',
  'ln_pre.bias': 'vision_model.pre_layrnorm.bias',
  'ln_post.weight': 'vision_model.post_layernorm.weight',
  'ln_post.bias': 'vision_model.post_layernorm.bias',
  proj: 'visual_projection.weight',
}

const inLayer: Names = {
  ln_1: 'layer_norm1', ln_2: 'layer_norm2', 'attn.out_proj': 'self_attn.out_proj', 'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
}

const layerName = /^transformer\.resblocks\.(\d+)\.(.+)$/

/** Options of {@link openClipText}. */
export interface OpenClipOptions {
  /** Layers that are kept: Stable Diffusion 2 leaves out the last of 24. All by default. */
  readonly layers?: number
  /** Whether the model has a projection; its tensor is left out otherwise. True by default. */
  readonly projection?: boolean
}

/**
 * OpenCLIP's text tower, as single files of Stable Diffusion 2 and XL have it, under the names of transformers:
 * queries, keys and values are apart, and the projection is turned, since OpenCLIP multiplies from the other side. Take
 * off the file's prefix before. Source: open_clip `transformer.py`, `TextTransformer`.
 */
export function openClipText(checkpoint: Checkpoint, options: OpenClipOptions = {}): StateSource {
  const { layers = Infinity, projection = true } = options
  const turned = transpose(checkpoint, (name) => name === 'text_projection')
  const beside = (name: string): string | undefined => {
    return projection || name !== 'text_projection' ? outside[name] : undefined
  }
  return tower(turned, 'text_model', beside, layers)
}

/**
 * The vision tower of a whole OpenCLIP, as checkpoints of HPS have it (`visual.…`), under the names of transformers, in
 * the way of {@link openClipText}. Source: open_clip `transformer.py`, `VisionTransformer`.
 */
export function openClipVision(checkpoint: Checkpoint): StateSource {
  const visual = rename(checkpoint, (name) => (name.startsWith('visual.') ? name.slice('visual.'.length) : undefined))
  return tower(transpose(visual, (name) => name === 'proj'), 'vision_model', (name) => outsideVision[name])
}

/** A tower whose layers are below `transformer.resblocks.`. @param beside the new names of what is not in a layer */
function tower(
  turned: StateSource, model: string, beside: (name: string) => string | undefined, layers = Infinity,
): StateSource {
  const apart = split(turned, (name) => {
    const [, layer, kind] = /^transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)$/.exec(name) ?? []
    if (layer === undefined) return undefined
    return [...'qkv'].map((part) => `transformer.resblocks.${layer}.attn.${part}_proj.${kind}`)
  })
  return rename(apart, (name) => {
    const [, layer, rest] = layerName.exec(name) ?? []
    if (layer === undefined || rest === undefined) return beside(name)
    if (Number(layer) >= layers) return undefined
    const [, module = '', kind] = /^(.*)\.(weight|bias)$/.exec(rest) ?? []
    const known = inLayer[module] ?? (/^attn\.[qkv]_proj$/.test(module) ? `self_${module}` : undefined)
    return known && `${model}.encoder.layers.${layer}.${known}.${kind}`
  })
}

const outsideBack = readBackwards(Object.entries(outside))
const inLayerBack = readBackwards(Object.entries(inLayer))

/** A text tower of transformers under OpenCLIP's names, without a prefix. The inverse of {@link openClipText}. */
export function textToOpenClip(checkpoint: Checkpoint): StateSource {
  const turned = transpose(checkpoint, (name) => name === 'text_projection.weight')
  const inProjection = /^text_model\.encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(weight|bias)$/
  const together = fuse(turned, (name) => {
    const [, layer, part = '', kind] = inProjection.exec(name) ?? []
    if (layer === undefined) return undefined
    return [`transformer.resblocks.${layer}.attn.in_proj_${kind}`, 'qkv'.indexOf(part)]
  })
  return rename(together, (name) => {
    const [, layer, rest = ''] = /^text_model\.encoder\.layers\.(\d+)\.(.+)$/.exec(name) ?? []
    if (layer === undefined) return layerName.test(name) ? name : swapped(outsideBack, name)
    const original = swapped(inLayerBack, rest)
    return original && `transformer.resblocks.${layer}.${original}`
  })
}
