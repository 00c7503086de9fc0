import type { Checkpoint, StateSource } from '@antipode/core/nn'
import { entriesOf } from './entries.ts'
import { type Pairs, readBackwards, swapped } from './pairs.ts'
import { rename } from './rename.ts'
import { reshape } from './reshape.ts'

/** Layers of an encoder or decoder, block apart: diffusers' name, and that of the original code. */
const layers: Pairs = [
  ['conv_in', 'conv_in'],
  ['mid_block.resnets.0', 'mid.block_1'],
  ['mid_block.resnets.1', 'mid.block_2'],
  ['mid_block.attentions.0.group_norm', 'mid.attn_1.norm'],
  ['mid_block.attentions.0.to_q', 'mid.attn_1.q'],
  ['mid_block.attentions.0.to_k', 'mid.attn_1.k'],
  ['mid_block.attentions.0.to_v', 'mid.attn_1.v'],
  ['mid_block.attentions.0.to_out.0', 'mid.attn_1.proj_out'],
  ['conv_norm_out', 'norm_out'],
  ['conv_out', 'conv_out'],
]
const layersBack = readBackwards(layers)

/**
 * What the original code of Stable Diffusion calls tensors or layers of an autoencoder, by diffusers' names for them;
 * the blocks of the decoder are counted from the other end. Names that are no autoencoder's are left out.
 * Source: CompVis `diffusionmodules/model.py`, `Encoder` and `Decoder`.
 * @param names all of one autoencoder, as how many blocks there are is told by them
 */
export function ldmVaeNames(names: Iterable<string>): Map<string, string> {
  const all = [...names]
  const last = Math.max(0, ...all.map((name) => Number(/^decoder\.up_blocks\.(\d+)\./.exec(name)?.[1] ?? 0)))
  return new Map(all.flatMap((name) => {
    const original = ldmName(name, last)
    return original === undefined ? [] : [[name, original]]
  }))
}

function ldmName(name: string, last: number): string | undefined {
  if (/^(post_)?quant_conv(\.|$)/.test(name)) return name
  const [, coder, rest = ''] = /^(encoder|decoder)\.(.+)$/.exec(name) ?? []
  if (coder === undefined) return undefined
  const [, way, block, kind, layer, tail = ''] =
    /^(down|up)_blocks\.(\d+)\.(resnets|downsamplers|upsamplers)\.(\d+)\.(.+)$/.exec(rest) ?? []
  if (way === undefined) {
    const original = swapped(layers, rest)
    return original === undefined ? undefined : `${coder}.${original}`
  }
  const place = `${coder}.${way}.${way === 'up' ? last - Number(block) : block}`
  if (kind !== 'resnets') return `${place}.${way}sample.${tail}`
  return `${place}.block.${layer}.${tail.replace(/^conv_shortcut(?=\.|$)/, 'nin_shortcut')}`
}

/**
 * An autoencoder of a single-file checkpoint under diffusers' names: its attention's 1×1 convolutions as matrices.
 * Tensors that are no autoencoder's are left out. Take off the file's prefix, `first_stage_model.`, before. The inverse
 * of {@link ldmVaeNames}.
 * @throws {CheckpointError} if two tensors get one name
 */
export function ldmVae(checkpoint: Checkpoint): StateSource {
  const blocks = entriesOf(checkpoint).map(({ name }) => Number(/^decoder\.up\.(\d+)\./.exec(name)?.[1] ?? 0))
  const last = Math.max(0, ...blocks)
  const flat = reshape(checkpoint, (name, shape) =>
    (/\.attn_1\.(q|k|v|proj_out)\.weight$/.test(name) && shape.length === 4 ? shape.slice(0, 2) : undefined))
  return rename(flat, (name) => diffusersName(name, last))
}

function diffusersName(name: string, last: number): string | undefined {
  if (/^(post_)?quant_conv\./.test(name)) return name
  const [, coder, rest = ''] = /^(encoder|decoder)\.(.+)$/.exec(name) ?? []
  if (coder === undefined) return undefined
  const [, way, n, kind, tail = ''] = /^(down|up)\.(\d+)\.(block\.\d+|downsample|upsample)\.(.+)$/.exec(rest) ?? []
  if (way === undefined || kind === undefined) {
    const own = swapped(layersBack, rest)
    return own === undefined ? undefined : `${coder}.${own}`
  }
  const place = `${coder}.${way}_blocks.${way === 'up' ? last - Number(n) : n}`
  if (kind.endsWith('sample')) return `${place}.${kind}rs.0.${tail}`
  return `${place}.${kind.replace('block', 'resnets')}.${tail.replace(/^nin_shortcut\./, 'conv_shortcut.')}`
}

/**
 * An autoencoder of diffusers under the names of a single-file checkpoint, without the file's prefix: the matrices of its
 * attention as 1×1 convolutions. The inverse of {@link ldmVae}.
 */
export function vaeToLdm(checkpoint: Checkpoint): StateSource {
  const names = ldmVaeNames(entriesOf(checkpoint).map(({ name }) => name))
  return reshape(rename(checkpoint, (name) => names.get(name)), (name, shape) =>
    (/\.attn_1\.(q|k|v|proj_out)\.weight$/.test(name) ? [...shape.slice(0, 2), 1, 1] : undefined))
}
