import { ConfigError } from '../errors.ts'
import { conv2d, type Conv2dOptions } from '../functional/index.ts'
import type { Tensor } from '../graph/index.ts'
import { checkArgument, checkOptions, flag, type Range, type Ranges, whole } from '../options/index.ts'
import { type Adaptable, type LowRank, narrowWeight, strengthOf } from './adapters.ts'
import { affine, type Initialiser } from './initialiser.ts'
import { Module } from './module.ts'

/** Geometry of a {@link Conv2d} layer: strides and groups are whole and 1 or more, paddings 0 or more. */
export type Conv2dGeometry = Pick<Conv2dOptions, 'stride' | 'padding' | 'groups'>

/** A whole number for both directions, or a list of one of these lengths. */
function whole2d(low: number, ...lengths: readonly number[]): Range {
  const { expected, accepts } = whole(low)
  return { expected: `${expected}, or ${lengths.join(' or ')} of them`, accepts: (v) => (Array.isArray(v) ? lengths.includes(v.length) && v.every(accepts) : accepts(v)) }
}

const geometryRanges: Ranges<Conv2dGeometry> = { stride: whole2d(1, 2), padding: whole2d(0, 2, 4), groups: whole(1) }

/** 2-D convolution, `[B,C,H,W] -> [B,O,H',W']`; carries adapters. */
export class Conv2d extends Module implements Adaptable {
  /** `[O, C/groups, k, k]` */
  readonly weight: Tensor
  /** `[O]` */
  readonly bias: Tensor | undefined
  readonly geometry: Conv2dGeometry
  readonly adapters: Map<string, LowRank> = new Map()
  active: ReadonlyMap<string, number> = new Map()

  /** @throws {ConfigError} if the geometry has a value outside its range */
  constructor(weight: Tensor, bias?: Tensor, geometry: Conv2dGeometry = {}) {
    super()
    checkOptions('Conv2d', geometry, geometryRanges)
    this.weight = weight
    this.bias = bias
    this.geometry = geometry
  }

  /**
   * Fresh parameters, as `torch.nn.Conv2d` draws them, of a square kernel; `bias` is true by default.
   * @throws {ConfigError} if a size is not whole and 1 or more, groups do not divide both channels and filters, or on an unknown option
   */
  static of(
    init: Initialiser,
    channels: number,
    filters: number,
    kernel: number,
    options: Conv2dGeometry & { readonly bias?: boolean } = {},
  ): Conv2d {
    for (const [size, value] of Object.entries({ channels, filters, kernel })) checkArgument('Conv2d', size, value, whole(1))
    checkOptions('Conv2d', options, { ...geometryRanges, bias: flag })
    const { bias = true, ...geometry } = options
    const { groups = 1 } = geometry
    if (channels % groups !== 0 || filters % groups !== 0) {
      throw new ConfigError(`Conv2d: expected groups that divide channels and filters, got ${groups} for ${channels} and ${filters}`)
    }
    const made = affine(init, [filters, channels / groups, kernel, kernel], bias)
    return new Conv2d(made.weight, made.bias, geometry)
  }

  forward(x: Tensor): Tensor {
    const narrow = narrowWeight(this)
    let y = conv2d(x, narrow ?? this.weight, { ...this.geometry, bias: this.bias })
    if (narrow) return y
    for (const [name, w] of this.active) {
      const pair = this.adapters.get(name)
      if (pair) y = y.add(conv2d(conv2d(x, pair.a.to(x.dtype), this.geometry).mul(w * strengthOf(pair)), pair.b.to(x.dtype)))
    }
    return y
  }

  /**
   * A sees the image as the layer does, B mixes its `rank` channels at each pixel.
   * @throws {ConfigError} if the layer has groups: each would need an A of its own
   */
  lowRankShapes(rank: number): { a: number[]; b: number[] } {
    const { groups = 1 } = this.geometry
    if (groups > 1) throw new ConfigError(`Conv2d: expected a layer of one group to adapt, got ${groups}; leave it out of the targets`)
    const [filters = 0, ...field] = this.weight.shape
    return { a: [rank, ...field], b: [filters, rank, 1, 1] }
  }
}
