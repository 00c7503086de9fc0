import { conv2d, type Conv2dOptions } from '../functional/index.ts'
import type { Tensor } from '../graph/index.ts'
import { type Adaptable, type LowRank, narrowWeight } from './adapters.ts'
import type { Initialiser } from './initialiser.ts'
import { Module } from './module.ts'

/** Geometry of a {@link Conv2d} layer. */
export type Conv2dGeometry = Pick<Conv2dOptions, 'stride' | 'padding' | 'groups'>

/** 2-D convolution, `[B,C,H,W] -> [B,O,H',W']`; carries adapters. */
export class Conv2d extends Module implements Adaptable {
  /** `[O, C/groups, k, k]` */
  readonly weight: Tensor
  /** `[O]` */
  readonly bias: Tensor | undefined
  readonly geometry: Conv2dGeometry
  readonly adapters: Map<string, LowRank> = new Map()
  active: ReadonlyMap<string, number> = new Map()

  constructor(weight: Tensor, bias?: Tensor, geometry: Conv2dGeometry = {}) {
    super()
    this.weight = weight
    this.bias = bias
    this.geometry = geometry
  }

  /** Fresh parameters, as `torch.nn.Conv2d` draws them, of a square kernel. */
  static of(
    init: Initialiser,
    channels: number,
    filters: number,
    kernel: number,
    { bias = true, ...geometry }: Conv2dGeometry & { readonly bias?: boolean } = {},
  ): Conv2d {
    const made = init.affine([filters, channels / (geometry.groups ?? 1), kernel, kernel], bias)
    return new Conv2d(made.weight, made.bias, geometry)
  }

  forward(x: Tensor): Tensor {
    const narrow = narrowWeight(this)
    let y = conv2d(x, narrow ?? this.weight, { ...this.geometry, bias: this.bias })
    if (narrow) return y
    for (const [name, w] of this.active) {
      const pair = this.adapters.get(name)
      if (pair) y = y.add(conv2d(conv2d(x, pair.a.to(x.dtype), this.geometry).mul(w * pair.scale), pair.b.to(x.dtype)))
    }
    return y
  }

  /** A sees the image as the layer does, B mixes its `rank` channels at each pixel. Groups would need one A each. */
  lowRankShapes(rank: number): { a: number[]; b: number[] } {
    const [filters = 0, ...field] = this.weight.shape
    return { a: [rank, ...field], b: [filters, rank, 1, 1] }
  }
}
