import { ConfigError } from '../errors.ts'
import { conv2d, type Conv2dOptions } from '../functional/index.ts'
import type { Tensor } from '../graph/index.ts'
import { checkArgument, checkOptions, flag, type Range, type Ranges, whole } from '../options/index.ts'
import { AdaptableLayer } from './adapters/index.ts'
import { affine, type Initialiser } from './initialiser.ts'

/** Geometry of a {@link Conv2d} layer: strides and groups are whole and 1 or more, paddings 0 or more. */
export type Conv2dGeometry = Pick<Conv2dOptions, 'stride' | 'padding' | 'groups'>

/** A whole number for both directions, or a list of one of these lengths. */
function whole2d(low: number, ...lengths: readonly number[]): Range {
  const { expected, accepts } = whole(low)
  return {
    expected: `${expected}, or ${lengths.join(' or ')} of them`,
    accepts: (v) => (Array.isArray(v) ? lengths.includes(v.length) && v.every(accepts) : accepts(v)),
  }
}

const geometryRanges: Ranges<Conv2dGeometry> = { stride: whole2d(1, 2), padding: whole2d(0, 2, 4), groups: whole(1) }

/** 2-D convolution, `[B,C,H,W] -> [B,O,H',W']`; carries adapters. */
export class Conv2d extends AdaptableLayer {
  /** `[O, C/groups, k, k]` */
  readonly weight: Tensor
  /** `[O]` */
  readonly bias: Tensor | undefined
  readonly geometry: Conv2dGeometry

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
   * @throws {ConfigError} if a size is not whole and 1 or more, groups do not divide both channels and filters, or on
   * an unknown option
   */
  static of(
    init: Initialiser,
    channels: number,
    filters: number,
    kernel: number,
    options: Conv2dGeometry & { readonly bias?: boolean } = {},
  ): Conv2d {
    const sizes = { channels, filters, kernel }
    for (const [size, value] of Object.entries(sizes)) checkArgument('Conv2d', size, value, whole(1))
    checkOptions('Conv2d', options, { ...geometryRanges, bias: flag })
    const { bias = true, ...geometry } = options
    const { groups = 1 } = geometry
    if (channels % groups !== 0 || filters % groups !== 0) {
      throw new ConfigError(
        `Conv2d: expected groups that divide channels and filters, got ${groups} for ${channels} and ${filters}`,
      )
    }
    const made = affine(init, [filters, channels / groups, kernel, kernel], bias)
    return new Conv2d(made.weight, made.bias, geometry)
  }

  get weightShape(): readonly number[] {
    return this.weight.shape
  }

  get groups(): number {
    return this.geometry.groups ?? 1
  }

  plainWeight(): Tensor {
    return this.weight
  }

  product(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
    return conv2d(x, weight, { ...this.geometry, bias })
  }
}
