import type { Initialiser } from '@antipode/core/nn'
import { AddedContextAttention2D, AttentionBlock2D, Transformer2DModel } from '../layers/index.ts'
import type { LayerCounts, ResolvedUNet2DConfig } from './config.ts'

/** Which attention a block has behind each of its resnets. */
export type Attention =
  | { readonly kind: 'none' }
  | { readonly kind: 'self'; readonly headWidth: number }
  | {
    readonly kind: 'cross'
    readonly heads: number
    /** Transformer blocks behind each resnet. */
    readonly layers: LayerCounts
    readonly contextWidth: number
    readonly linearProjection: boolean
    readonly onlyCross: boolean
  }
  | {
    readonly kind: 'added'
    readonly headWidth: number
    readonly contextWidth: number
    readonly contextNorm: 'layer_norm' | 'group_norm' | undefined
    readonly onlyCross: boolean
  }

export type AttentionLayer = AttentionBlock2D | Transformer2DModel | AddedContextAttention2D

/** The attention behind resnet `i` of a block. */
export function attentionLayer(
  init: Initialiser,
  attention: Attention,
  { channels, groups, eps }: { readonly channels: number; readonly groups: number; readonly eps: number },
  i: number,
): AttentionLayer | undefined {
  if (attention.kind === 'none') return undefined
  if (attention.kind === 'self') {
    return new AttentionBlock2D(init, { channels, headWidth: attention.headWidth, groups, eps })
  }
  if (attention.kind === 'added') {
    const { kind: _, ...rest } = attention
    return new AddedContextAttention2D(init, { channels, groups, ...rest })
  }
  const { kind: _, heads, layers: counts, ...rest } = attention
  const layers = typeof counts === 'number' ? counts : counts[i] ?? 1
  return new Transformer2DModel(init, { channels, groups, heads, headWidth: channels / heads, layers, ...rest })
}

/** The attention of a type of blocks. @param level its place on the way down @param own its place on its own way */
export function attentionOf(type: string, c: ResolvedUNet2DConfig, level: number, own: number): Attention {
  const { linearProjection, contextNorm } = c
  const [headWidth = 1, contextWidth = 0] = [c.headWidths[own], c.contextWidths[level]]
  const middle = type.includes('Mid')
  if (type.includes('Simple')) {
    const onlyCross = middle ? c.midOnlyCross : c.onlyCross[level] ?? false
    return { kind: 'added', headWidth, contextWidth, contextNorm, onlyCross }
  }
  if (type.includes('CrossAttn')) {
    const layers = (type.includes('Up') ? c.upTransformerLayers[own] : c.transformerLayers[level]) ?? 1
    // The middle has self-attention at any rate.
    const onlyCross = !middle && (c.onlyCross[level] ?? false)
    return { kind: 'cross', heads: c.heads[level] ?? 1, layers, contextWidth, linearProjection, onlyCross }
  }
  const self = type.startsWith('Attn') || (middle && c.midAttention)
  return self ? { kind: 'self', headWidth } : { kind: 'none' }
}
