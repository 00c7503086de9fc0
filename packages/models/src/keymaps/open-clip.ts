import type { Checkpoint, StateSource } from '@antipode/core/nn'
import { fuse } from './fuse.ts'
import { readBackwards, swapped } from './pairs.ts'
import { rename } from './rename.ts'
import { split } from './split.ts'
import { transpose } from './transpose.ts'

/** Tensors outside the layers; the temperature of the contrastive loss has no place in an encoder. */
const outside: Readonly<Record<string, string>> = {
  positional_embedding: 'text_model.embeddings.position_embedding.weight',
  'token_embedding.weight': 'text_model.embeddings.token_embedding.weight',
  'ln_final.weight': 'text_model.final_layer_norm.weight',
  'ln_final.bias': 'text_model.final_layer_norm.bias',
  text_projection: 'text_projection.weight',
}

const inLayer: Readonly<Record<string, string>> = { ln_1: 'layer_norm1', ln_2: 'layer_norm2', 'attn.out_proj': 'self_attn.out_proj', 'mlp.c_fc': 'mlp.fc1', 'mlp.c_proj': 'mlp.fc2' }

const layerName = /^transformer\.resblocks\.(\d+)\.(.+)$/

/** Options of {@link openClipText}. */
export interface OpenClipOptions {
  /** Layers that are kept: Stable Diffusion 2 leaves out the last of 24. All by default. */
  readonly layers?: number
  /** Whether the model has a projection; its tensor is left out otherwise. True by default. */
  readonly projection?: boolean
}

/**
 * OpenCLIP's text tower, as single files of Stable Diffusion 2 and XL have it, under the names of transformers: queries, keys and
 * values are apart, and the projection is turned, since OpenCLIP multiplies from the other side. Take off the file's prefix before.
 * Source: open_clip `transformer.py`, `TextTransformer`.
 */
export function openClipText(checkpoint: Checkpoint, { layers = Infinity, projection = true }: OpenClipOptions = {}): StateSource {
  const turned = transpose(checkpoint, (name) => name === 'text_projection')
  const apart = split(turned, (name) => {
    const [, layer, kind] = /^transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)$/.exec(name) ?? []
    return layer === undefined ? undefined : [...'qkv'].map((part) => `transformer.resblocks.${layer}.attn.${part}_proj.${kind}`)
  })
  return rename(apart, (name) => {
    if (name === 'text_projection' && !projection) return undefined
    const [, layer, rest] = layerName.exec(name) ?? []
    if (layer === undefined || rest === undefined) return outside[name]
    if (Number(layer) >= layers) return undefined
    const [, module = '', kind] = /^(.*)\.(weight|bias)$/.exec(rest) ?? []
    const known = inLayer[module] ?? (/^attn\.[qkv]_proj$/.test(module) ? module.replace('attn.', 'self_attn.') : undefined)
    return known && `text_model.encoder.layers.${layer}.${known}.${kind}`
  })
}

const outsideBack = readBackwards(Object.entries(outside))
const inLayerBack = readBackwards(Object.entries(inLayer))

/** A text tower of transformers under OpenCLIP's names, without the file's prefix. The inverse of {@link openClipText}. */
export function textToOpenClip(checkpoint: Checkpoint): StateSource {
  const turned = transpose(checkpoint, (name) => name === 'text_projection.weight')
  const together = fuse(turned, (name) => {
    const [, layer, part = '', kind] = /^text_model\.encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(weight|bias)$/.exec(name) ?? []
    return layer === undefined ? undefined : [`transformer.resblocks.${layer}.attn.in_proj_${kind}`, 'qkv'.indexOf(part)]
  })
  return rename(together, (name) => {
    const [, layer, rest = ''] = /^text_model\.encoder\.layers\.(\d+)\.(.+)$/.exec(name) ?? []
    if (layer === undefined) return layerName.test(name) ? name : swapped(outsideBack, name)
    const original = swapped(inLayerBack, rest)
    return original && `transformer.resblocks.${layer}.${original}`
  })
}
