import { sizeOf } from '@antipode/kernels-wgsl'
import { CheckpointError, ConfigError } from '../errors.ts'
import type { Tensor } from '../graph/index.ts'
import { checkArgument, checkOptions, finite, type Range, required, text, whole } from '../options/index.ts'
import { randomParameters } from './initialiser.ts'
import { some } from './state/index.ts'

/** A low-rank change of a weight: Δ = (alpha / rank) · B·A, with A `[rank, in, ...]` and B `[out, rank, ...]`. */
export interface LowRank {
  readonly a: Tensor
  readonly b: Tensor
  /** Kept instead of the quotient, so that a file gives back the very number that was trained with. */
  readonly alpha: number
}

/** What a pair is multiplied by at weight 1. */
export function strengthOf({ a, alpha }: LowRank): number {
  return alpha / (a.shape[0] ?? 1)
}

/** A layer that can carry adapters beside its weight. */
export interface Adaptable {
  readonly weight: Tensor
  /** Every adapter the layer has; copies of a model share it. */
  readonly adapters: Map<string, LowRank>
  /** Which of them the forward pass adds, and at what weight. */
  active: ReadonlyMap<string, number>
  /** Shapes of A and B at a rank. */
  lowRankShapes(rank: number): { readonly a: readonly number[]; readonly b: readonly number[] }
}

/** How to make an adapter; see {@link addLowRank}. */
export interface AdapterOptions {
  /** Whole, 1 or more. */
  readonly rank: number
  /** Strength at weight 1 is alpha / rank; any finite number, the rank by default. */
  readonly alpha?: number
  /** Which linear and convolution layers get one, by their names in the model. */
  readonly targets: RegExp | ((layer: string) => boolean)
  /** Seed of A, whole in [0, 2^53); default 0. */
  readonly seed?: number
}

/** One alpha for all layers of an adapter, or one for each by its name; a layer without one has its rank. */
export type AdapterAlpha = number | ReadonlyMap<string, number>

const targets: Range = { expected: 'a RegExp or a function of a name', accepts: (v) => v instanceof RegExp || typeof v === 'function' }
/** What {@link AdapterAlpha} accepts. */
export const alphas: Range = {
  expected: 'a finite number, or a Map of such by the names of layers',
  accepts: (v) => finite.accepts(v) || v instanceof Map && [...v.values()].every((one) => finite.accepts(one)),
}

/** Named layers of a model. */
export type Layers = Iterable<readonly [name: string, layer: Adaptable]>

/**
 * Adds an adapter to the layers that match: A is normal with deviation 1/rank, B is zero, so nothing changes until it is
 * trained. Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021, section 4.1.
 */
export function addLowRank(layers: Layers, name: string, options: AdapterOptions): void {
  checkArgument('addAdapter', 'the name', name, text)
  checkOptions('addAdapter', options, { rank: required(whole(1)), alpha: finite, targets: required(targets), seed: whole(0) })
  const { rank, alpha = rank, targets: wanted, seed = 0 } = options
  const matches = typeof wanted === 'function' ? wanted : (layer: string) => layer.search(wanted) >= 0
  const chosen = [...layers].filter(([layer]) => matches(layer))
  const [first] = chosen
  if (!first) throw new ConfigError(`addAdapter: expected targets that match a linear or convolution layer, got none for "${name}"`)
  if (chosen.some(([, layer]) => layer.adapters.has(name))) {
    throw new ConfigError(`addAdapter: expected a new name, got "${name}" twice; remove the adapter first`)
  }
  const init = randomParameters(first[1].weight.device, { seed })
  for (const [, layer] of chosen) {
    const shapes = layer.lowRankShapes(rank)
    layer.adapters.set(name, { a: init.normal(shapes.a, 1 / rank), b: init.filled(shapes.b, 0), alpha })
  }
}

/** A and B of an adapter by the names that PEFT gives them: `<layer>.lora_A.weight` and `<layer>.lora_B.weight`. */
export function lowRankTensors(layers: Layers, name: string): Map<string, Tensor> {
  const out = new Map<string, Tensor>()
  for (const [layer, { adapters }] of layers) {
    const pair = adapters.get(name)
    if (!pair) continue
    out.set(`${layer}.lora_A.weight`, pair.a)
    out.set(`${layer}.lora_B.weight`, pair.b)
  }
  return out
}

/** Alpha of each layer that has an adapter, by the layer's name. */
export function lowRankAlphas(layers: Layers, name: string): Map<string, number> {
  const out = new Map<string, number>()
  for (const [layer, { adapters }] of layers) {
    const pair = adapters.get(name)
    if (pair) out.set(layer, pair.alpha)
  }
  return out
}

/** Anything that has a shape: a tensor, or what a file's header says of one. */
export interface Shaped {
  readonly shape: readonly number[]
}

/**
 * The pairs among tensors with PEFT's names, by their layers.
 * @throws {CheckpointError} that counts the layers that fit and lists names which fit no layer, lack their other half or have
 * another shape
 */
export function lowRankPairs<T extends Shaped>(layers: Layers, name: string, tensors: ReadonlyMap<string, T>): Map<string, { readonly layer: Adaptable; readonly a: T; readonly b: T }> {
  const left = new Set(tensors.keys())
  const wrong: string[] = []
  const pairs = new Map<string, { layer: Adaptable; a: T; b: T }>()
  for (const [prefix, layer] of layers) {
    const [keyA, keyB] = [`${prefix}.lora_A.weight`, `${prefix}.lora_B.weight`]
    const [a, b] = [tensors.get(keyA), tensors.get(keyB)]
    left.delete(keyA)
    left.delete(keyB)
    if (!a && !b) continue
    const rank = a?.shape[0] ?? b?.shape[1] ?? 0
    const shapes = layer.lowRankShapes(rank)
    if (!a || !b || rank < 1 || `${a.shape}` !== `${shapes.a}` || `${b.shape}` !== `${shapes.b}`) {
      wrong.push(`${prefix} (expected A [${shapes.a}] and B [${shapes.b}], got ${a ? `[${a.shape}]` : 'none'} and ${b ? `[${b.shape}]` : 'none'})`)
    } else pairs.set(prefix, { layer, a, b })
  }
  if (left.size === 0 && wrong.length === 0 && pairs.size > 0) return pairs
  const parts = [
    `${pairs.size} layers fit`,
    left.size > 0 ? `no layer for ${some([...left])}` : '',
    wrong.length > 0 ? `misfits: ${some(wrong)}` : '',
  ].filter(Boolean)
  throw new CheckpointError(`setAdapter: "${name}": expected names and shapes of this model, like <layer>.lora_A.weight; ${parts.join('; ')}`)
}

/**
 * Puts given tensors on the layers as an adapter, in place of one of that name; the model owns them from then on.
 * @throws {CheckpointError} as {@link lowRankPairs} @throws {ConfigError} if an alpha is for a layer that has no pair
 */
export function setLowRank(layers: Layers, name: string, tensors: ReadonlyMap<string, Tensor>, alpha?: AdapterAlpha): void {
  checkArgument('setAdapter', 'the name', name, text)
  const known = [...layers]
  const pairs = lowRankPairs(known, name, tensors)
  const each = typeof alpha === 'object' ? alpha : new Map<string, number>()
  const strangers = [...each.keys()].filter((layer) => !pairs.has(layer))
  if (strangers.length > 0) throw new ConfigError(`setAdapter: "${name}": expected an alpha for layers that have a pair, got one for ${some(strangers)}`)
  const kept = new Set(tensors.values())
  removeLowRank(known, name, kept)
  for (const [prefix, { layer, a, b }] of pairs) {
    layer.adapters.set(name, { a, b, alpha: (typeof alpha === 'number' ? alpha : each.get(prefix)) ?? a.shape[0] ?? 1 })
  }
}

/** Takes an adapter off and frees its tensors, but for those to be kept. */
export function removeLowRank(layers: Layers, name: string, kept: ReadonlySet<Tensor> = new Set()): void {
  for (const [, { adapters }] of layers) {
    const pair = adapters.get(name)
    if (pair) for (const t of [pair.a, pair.b]) if (!kept.has(t)) t.dispose()
    adapters.delete(name)
  }
}

/** @throws {ConfigError} that lists the adapters there are, if one is asked for that is not, or its weight is no finite number */
export function checkAdapters(where: string, layers: Layers, weights: Readonly<Record<string, number>>): void {
  const known = new Set([...layers].flatMap(([, layer]) => [...layer.adapters.keys()]))
  for (const [name, weight] of Object.entries(weights)) {
    if (!known.has(name)) {
      throw new ConfigError(`${where}: expected an adapter of the model (${[...known].join(', ') || 'it has none'}), got "${name}"`)
    }
    checkArgument(where, `the weight of "${name}"`, weight, finite)
  }
}

/** `weight + Σ w·scale·B·A` in float32, not yet computed; undefined if no active adapter is on this layer. */
export function mergedWeight({ weight, adapters }: Adaptable, weights: Readonly<Record<string, number>>): Tensor | undefined {
  let sum: Tensor | undefined
  for (const [name, w] of Object.entries(weights)) {
    const pair = adapters.get(name)
    if (!pair) continue
    const { a, b } = pair
    const rank = a.shape[0] ?? 1
    const product = b.to('f32').reshape([-1, rank]).matmul(a.to('f32').reshape([rank, sizeOf(a.shape) / rank]))
    sum = (sum ?? weight.to('f32')).add(product.reshape(weight.shape).mul(w * strengthOf(pair)))
  }
  return sum
}

/** How much slower products of a few rows run than others, per multiply-add: 39 against 65 GFLOPS for 8 rows on llvmpipe. */
const thin = 2

/**
 * The weight with a layer's active adapters in it, or undefined where they are better applied beside it, at each position.
 * Training then takes the gradient of the whole weight, `out·in` multiply-adds a position where A, B and their gradients take
 * `3·rank·(out + in)`, in products of `rank` rows: a layer that is narrow for its adapters is cheaper so. Not in half precision,
 * where a small change would be lost in the rounding of the sum.
 */
export function narrowWeight(layer: Adaptable): Tensor | undefined {
  const { weight, adapters, active } = layer
  const [out = 1] = weight.shape
  const inputs = sizeOf(weight.shape) / out
  const rank = [...active.keys()].reduce((sum, name) => sum + (adapters.get(name)?.a.shape[0] ?? 0), 0)
  return weight.dtype === 'f32' && out * inputs <= thin * 3 * rank * (out + inputs) ? mergedWeight(layer, Object.fromEntries(active)) : undefined
}
