import { byteSize, join, joinPlaces } from '@antipode/kernels-wgsl'
import { linear } from '../functional/index.ts'
import { apply1, type Tensor } from '../graph/index.ts'
import { checkArgument, checkOptions, flag, whole } from '../options/index.ts'
import { type Adaptable, type LowRank, narrowWeight, strengthOf } from './adapters.ts'
import { affine, type Initialiser } from './initialiser.ts'
import { Module } from './module.ts'

/** `y = x·Wᵀ + b` over the last axis: `[..., in] -> [..., out]`; carries adapters. */
export class Linear extends Module implements Adaptable {
  /** `[out, in]` */
  readonly weight: Tensor
  /** `[out]` */
  readonly bias: Tensor | undefined
  readonly adapters: Map<string, LowRank> = new Map()
  active: ReadonlyMap<string, number> = new Map()

  constructor(weight: Tensor, bias?: Tensor) {
    super()
    this.weight = weight
    this.bias = bias
  }

  /**
   * Fresh parameters, as `torch.nn.Linear` draws them.
   * @param options.bias true by default @throws {ConfigError} if a width is not whole and 1 or more, or on an unknown option
   */
  static of(init: Initialiser, inputs: number, outputs: number, options: { readonly bias?: boolean } = {}): Linear {
    checkArgument('Linear', 'inputs', inputs, whole(1))
    checkArgument('Linear', 'outputs', outputs, whole(1))
    checkOptions('Linear', options, { bias: flag })
    const made = affine(init, [outputs, inputs], options.bias ?? true)
    return new Linear(made.weight, made.bias)
  }

  forward(x: Tensor): Tensor {
    const narrow = narrowWeight(this)
    let y = linear(x, narrow ?? this.weight, this.bias)
    if (narrow) return y
    for (const [name, w] of this.active) {
      const pair = this.adapters.get(name)
      if (pair) y = y.add(linear(linear(x, pair.a.to(x.dtype)).mul(w * strengthOf(pair)), pair.b.to(x.dtype)))
    }
    return y
  }

  lowRankShapes(rank: number): { a: number[]; b: number[] } {
    const [outputs = 0, inputs = 0] = this.weight.shape
    return { a: [rank, inputs], b: [outputs, rank] }
  }
}

/** Bytes that any adapter binds as one buffer. */
const bindable = 2 ** 27

/**
 * What each of several layers makes of the same x `[..., in]`, as terms to be added up: `[..., out]`, and perhaps a bias `[out]`.
 * It takes one product, whose weights are moved together in memory the first time, instead of one a layer. Layers whose weights
 * cannot lie end to end, are more than 128 MiB together or carry an adapter that is on run one by one.
 */
export function linears(layers: readonly Linear[], x: Tensor): (readonly Tensor[])[] {
  const width = x.shape.at(-1) ?? 0
  const weights = layers.map((l) => l.weight)
  const rows = weights.map((w) => w.shape[0] ?? 0)
  const ends = rows.map((_, k) => rows.slice(0, k + 1).reduce((a, b) => a + b, 0))
  const { starts } = joinPlaces(weights.map((w) => w.size))
  const alike = weights.every((w, k) => starts[k] === (ends[k - 1] ?? 0) * width && w.shape[1] === width && w.dtype === weights[0]?.dtype)
  const adapted = layers.some(({ active, adapters }) => [...active.keys()].some((name) => adapters.has(name)))
  const total = ends.at(-1) ?? 0
  const fits = total * width * byteSize(x.dtype) <= bindable
  if (!alike || !fits || adapted || layers.length < 2) return layers.map((l) => [l.forward(x)])
  const y = linear(x, apply1(join, weights).slice(0, 0, total * width).reshape([total, width]))
  return layers.map(({ bias }, k) => [...(bias ? [bias] : []), y.slice(-1, ends[k - 1] ?? 0, ends[k] ?? 0)])
}
