import type { Checkpoint, StateSource } from '@antipode/core/nn'
import { entriesOf } from './entries.ts'
import { type Pairs, readBackwards, swapped } from './pairs.ts'
import { rename } from './rename.ts'

/** Layers outside the blocks: diffusers' name, and that of the original code. */
const outside: Pairs = [
  ['conv_in', 'input_blocks.0.0'],
  ['time_embedding.linear_1', 'time_embed.0'],
  ['time_embedding.linear_2', 'time_embed.2'],
  ['add_embedding.linear_1', 'label_emb.0.0'],
  ['add_embedding.linear_2', 'label_emb.0.2'],
  ['conv_norm_out', 'out.0'],
  ['conv_out', 'out.2'],
]

/** Layers of a resnet. */
const resnet: Pairs = [
  ['norm1', 'in_layers.0'],
  ['conv1', 'in_layers.2'],
  ['time_emb_proj', 'emb_layers.1'],
  ['norm2', 'out_layers.0'],
  ['conv2', 'out_layers.3'],
  ['conv_shortcut', 'skip_connection'],
]
const resnetBack = readBackwards(resnet)
const outsideBack = readBackwards(outside)

/**
 * What the original code of Stable Diffusion (and Stability's, and kohya's for XL) calls tensors or layers of a UNet,
 * by diffusers' names for them. The original counts all layers of one way through, each change of resolution as one
 * more. Names that are no UNet's are left out. Source: CompVis `openaimodel.py`, `UNetModel`.
 * @param names all of one UNet, as whether a block attends is told by them
 */
export function ldmUNetNames(names: Iterable<string>): Map<string, string> {
  const all = [...names]
  const layers = 1 + Math.max(0, ...all.map((name) => Number(/^down_blocks\.0\.resnets\.(\d+)\./.exec(name)?.[1] ?? 0)))
  const attending = new Set(all.map((name) => /^up_blocks\.\d+(?=\.attentions\.)/.exec(name)?.[0]))
  return new Map(all.flatMap((name) => {
    const original = ldmName(name, layers + 1, attending)
    return original === undefined ? [] : [[name, original]]
  }))
}

function ldmName(name: string, perBlock: number, attending: ReadonlySet<string | undefined>): string | undefined {
  const [, at = '', way, block, kind, layer, rest = ''] =
    /^((down|up)_blocks\.(\d+))\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)$/.exec(name) ?? []
  if (way !== undefined) {
    const within = kind?.endsWith('samplers') ? perBlock - 1 : Number(layer)
    const index = Number(block) * perBlock + within + (way === 'down' ? 1 : 0)
    const place = `${way === 'down' ? 'input' : 'output'}_blocks.${index}`
    if (kind === 'downsamplers') return `${place}.0.op${rest.replace(/^conv/, '')}`
    if (kind === 'upsamplers') return `${place}.${attending.has(at) ? 2 : 1}.${rest}`
    return inLayer(place, kind === 'resnets' ? 0 : 1, rest)
  }
  const [, midKind, midLayer, midRest = ''] = /^mid_block\.(resnets|attentions)\.(\d+)\.(.+)$/.exec(name) ?? []
  if (midKind === undefined) return swapped(outside, name)
  const place = 2 * Number(midLayer) + (midKind === 'attentions' ? 1 : 0)
  if (midKind === 'attentions') return `middle_block.${place}.${midRest}`
  return below(`middle_block.${place}`, swapped(resnet, midRest))
}

const inLayer = (place: string, part: 0 | 1, rest: string): string | undefined =>
  (part === 0 ? below(`${place}.0`, swapped(resnet, rest)) : `${place}.1.${rest}`)

const below = (place: string, rest: string | undefined): string | undefined =>
  (rest === undefined ? undefined : `${place}.${rest}`)

/**
 * A UNet of a single-file checkpoint under diffusers' names; tensors that are no UNet's are left out. Take off the
 * file's prefix, `model.diffusion_model.`, before. The inverse of {@link ldmUNetNames}.
 * @throws {CheckpointError} if two tensors get one name
 */
export function ldmUNet(checkpoint: Checkpoint): StateSource {
  const names = entriesOf(checkpoint).map(({ name }) => name)
  const numbers = (pattern: RegExp): number[] => names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number)
  // The first change of resolution ends the first block; without one, there is no other block.
  const [changes, all] = [numbers(/^input_blocks\.(\d+)\.0\.op\./), numbers(/^input_blocks\.(\d+)\./)]
  const perBlock = Math.min(...changes, 1 + Math.max(...all))
  return rename(checkpoint, (name) => diffusersName(name, perBlock))
}

function diffusersName(name: string, perBlock: number): string | undefined {
  const [, way, n, part, rest = ''] = /^(input|output)_blocks\.(\d+)\.(\d+)\.(.+)$/.exec(name) ?? []
  if (way !== undefined && !(way === 'input' && n === '0')) {
    const index = Number(n) - (way === 'input' ? 1 : 0)
    const block = `${way === 'input' ? 'down' : 'up'}_blocks.${Math.floor(index / perBlock)}`
    const layer = index % perBlock
    if (way === 'input' && rest.startsWith('op.')) return `${block}.downsamplers.0.conv.${rest.slice(3)}`
    if (way === 'output' && part !== '0' && rest.startsWith('conv.')) return `${block}.upsamplers.0.${rest}`
    if (part !== '0') return `${block}.attentions.${layer}.${rest}`
    return below(`${block}.resnets.${layer}`, swapped(resnetBack, rest))
  }
  const [, mid, midRest = ''] = /^middle_block\.(\d+)\.(.+)$/.exec(name) ?? []
  if (mid === undefined) return swapped(outsideBack, name)
  const layer = Math.floor(Number(mid) / 2)
  return Number(mid) % 2 === 1 ? `mid_block.attentions.${layer}.${midRest}` :
    below(`mid_block.resnets.${layer}`, swapped(resnetBack, midRest))
}

/**
 * A UNet of diffusers under the names of a single-file checkpoint, without the file's prefix. The inverse of
 * {@link ldmUNet}.
 */
export function unetToLdm(checkpoint: Checkpoint): StateSource {
  const names = ldmUNetNames(entriesOf(checkpoint).map(({ name }) => name))
  return rename(checkpoint, (name) => names.get(name))
}
