import { sizeOf } from '@antipode/kernels-wgsl'
import { CheckpointError, ConfigError } from '../errors.ts'
import type { Tensor } from '../graph/index.ts'
import { Initialiser } from './initialiser.ts'

/** A low-rank change of a weight: Δ = scale · B·A, with A `[rank, in, ...]` and B `[out, rank, ...]`. */
export interface LowRank {
  readonly a: Tensor
  readonly b: Tensor
  /** alpha / rank. */
  readonly scale: number
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
  readonly rank: number
  /** Strength at weight 1 is alpha / rank; the rank by default. */
  readonly alpha?: number
  /** Which linear and convolution layers get one, by their names in the model. */
  readonly targets: RegExp | ((layer: string) => boolean)
  /** Seed of A; default 0. */
  readonly seed?: number
}

/** Named layers of a model. */
export type Layers = Iterable<readonly [name: string, layer: Adaptable]>

/**
 * Adds an adapter to the layers that match: A is normal with deviation 1/rank, B is zero, so nothing changes until it is
 * trained. Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021, section 4.1.
 */
export function addLowRank(layers: Layers, name: string, { rank, alpha = rank, targets, seed = 0 }: AdapterOptions): void {
  if (!Number.isInteger(rank) || rank < 1) throw new ConfigError(`addAdapter: expected a whole rank of 1 or more, got ${rank}`)
  const matches = typeof targets === 'function' ? targets : (layer: string) => layer.search(targets) >= 0
  const chosen = [...layers].filter(([layer]) => matches(layer))
  const [first] = chosen
  if (!first) throw new ConfigError(`addAdapter: expected targets that match a linear or convolution layer, got none for "${name}"`)
  if (chosen.some(([, layer]) => layer.adapters.has(name))) {
    throw new ConfigError(`addAdapter: expected a new name, got "${name}" twice; remove the adapter first`)
  }
  const init = new Initialiser(first[1].weight.device, { seed })
  for (const [, layer] of chosen) {
    const shapes = layer.lowRankShapes(rank)
    layer.adapters.set(name, { a: init.normal(shapes.a, 1 / rank), b: init.filled(shapes.b, 0), scale: alpha / rank })
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

/**
 * Puts given tensors on the layers as an adapter, in place of one of that name; the model owns them from then on.
 * @throws {CheckpointError} that lists names which fit no layer, lack their other half or have another shape
 */
export function setLowRank(layers: Layers, name: string, tensors: ReadonlyMap<string, Tensor>, alpha?: number): void {
  const known = [...layers]
  const left = new Set(tensors.keys())
  const wrong: string[] = []
  const pairs: [Adaptable, LowRank][] = []
  for (const [prefix, layer] of known) {
    const [keyA, keyB] = [`${prefix}.lora_A.weight`, `${prefix}.lora_B.weight`]
    const [a, b] = [tensors.get(keyA), tensors.get(keyB)]
    left.delete(keyA)
    left.delete(keyB)
    if (!a && !b) continue
    const rank = a?.shape[0] ?? 0
    const shapes = layer.lowRankShapes(rank)
    if (!a || !b || rank < 1 || `${a.shape}` !== `${shapes.a}` || `${b.shape}` !== `${shapes.b}`) {
      wrong.push(`${prefix} (expected A [${shapes.a}] and B [${shapes.b}], got ${a ? `[${a.shape}]` : 'none'} and ${b ? `[${b.shape}]` : 'none'})`)
    } else pairs.push([layer, { a, b, scale: (alpha ?? rank) / rank }])
  }
  if (left.size > 0 || wrong.length > 0 || pairs.length === 0) {
    const parts = [
      left.size > 0 ? `no layer for ${some([...left])}` : '',
      wrong.length > 0 ? `misfits: ${some(wrong)}` : '',
      pairs.length === 0 ? 'no pair of tensors fits' : '',
    ].filter(Boolean)
    throw new CheckpointError(`setAdapter: "${name}": ${parts.join('; ')}; expected names like <layer>.lora_A.weight`)
  }
  removeLowRank(known, name)
  for (const [layer, pair] of pairs) layer.adapters.set(name, pair)
}

/** Takes an adapter off and frees its tensors. */
export function removeLowRank(layers: Layers, name: string): void {
  for (const [, { adapters }] of layers) {
    const pair = adapters.get(name)
    pair?.a.dispose()
    pair?.b.dispose()
    adapters.delete(name)
  }
}

/** @throws {ConfigError} that lists the adapters there are, if one is asked for that is not */
export function checkAdapters(layers: Layers, weights: Readonly<Record<string, number>>): void {
  const known = new Set([...layers].flatMap(([, layer]) => [...layer.adapters.keys()]))
  for (const name of Object.keys(weights)) {
    if (!known.has(name)) {
      throw new ConfigError(`with: expected an adapter of the model (${[...known].join(', ') || 'it has none'}), got "${name}"`)
    }
  }
}

/** `weight + Σ w·scale·B·A` in float32, not yet computed; undefined if no active adapter is on this layer. */
export function mergedWeight({ weight, adapters }: Adaptable, weights: Readonly<Record<string, number>>): Tensor | undefined {
  let sum: Tensor | undefined
  for (const [name, w] of Object.entries(weights)) {
    const pair = adapters.get(name)
    if (!pair) continue
    const { a, b, scale } = pair
    const rank = a.shape[0] ?? 1
    const product = b.to('f32').reshape([-1, rank]).matmul(a.to('f32').reshape([rank, sizeOf(a.shape) / rank]))
    sum = (sum ?? weight.to('f32')).add(product.reshape(weight.shape).mul(w * scale))
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

/** Some names of a list that may be long. */
export function some(names: readonly string[]): string {
  return names.slice(0, 8).join(', ') + (names.length > 8 ? ` and ${names.length - 8} more` : '')
}
