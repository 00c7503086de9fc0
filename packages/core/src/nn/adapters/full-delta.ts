import { sizeOf } from '@antipode/kernels-wgsl'
import type { Tensor } from '../../graph/index.ts'
import { checkOptions, required } from '../../options/index.ts'
import { randomParameters } from '../initialiser.ts'
import { targetRange } from './targets.ts'
import type { AdapterMaker, DeltaKind, WeightDelta, WeightProduct } from './weight-delta.ts'

/** A change of a weight in full: Δ is a tensor of the weight's own shape. */
export class FullDelta implements WeightDelta {
  readonly diff: Tensor

  constructor(diff: Tensor) {
    this.diff = diff
  }

  get parameters(): ReadonlyMap<string, Tensor> {
    return new Map([['diff', this.diff]])
  }

  delta(_layer: WeightProduct, w: number): Tensor {
    return this.diff.to('f32').mul(w)
  }

  apply(layer: WeightProduct, x: Tensor, w: number): Tensor {
    return layer.product(x, this.diff.to(x.dtype)).mul(w)
  }

  /** Of the product and its two gradients. */
  cost({ weightShape }: WeightProduct): number {
    return 3 * sizeOf(weightShape)
  }
}

/** Tensors with the names that extracted differences have in the field: `<layer>.diff`. */
export const fullDeltaKind: DeltaKind = {
  names: ['diff'],
  shapes: ({ weightShape }) => [weightShape],
  of: ([diff]) => new FullDelta(diff as Tensor),
}

/**
 * A difference in full for each layer that matches, zero at first.
 * @throws {ConfigError} if an option is unknown or out of its range
 */
export function fullDelta(options: Pick<AdapterMaker, 'targets'>): AdapterMaker {
  checkOptions('fullDelta', options, { targets: required(targetRange) })
  return {
    targets: options.targets,
    begin(device) {
      const init = randomParameters(device, { seed: 0 })
      return ({ weightShape }) => new FullDelta(init.filled(weightShape, 0))
    },
  }
}
