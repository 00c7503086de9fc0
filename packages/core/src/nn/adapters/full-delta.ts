import { sizeOf } from '@antipode/kernels-wgsl'
import { embedding } from '../../functional/index.ts'
import type { Tensor } from '../../graph/index.ts'
import { checkOptions, required } from '../../options/index.ts'
import { randomParameters } from '../initialiser.ts'
import { targetRange } from './targets.ts'
import type { AdapterMaker, DeltaKind, WeightDelta, Weighted, WeightProduct } from './weight-delta.ts'

/** A change of a weight in full, and perhaps of the bias: Δ are tensors of their own shapes. */
export class FullDelta implements WeightDelta {
  readonly diff: Tensor
  readonly diffBias: Tensor | undefined

  constructor(diff: Tensor, diffBias?: Tensor) {
    this.diff = diff
    this.diffBias = diffBias
  }

  get parameters(): ReadonlyMap<string, Tensor> {
    return new Map([['diff', this.diff], ...this.diffBias ? [['diff_b', this.diffBias] as const] : []])
  }

  delta(_layer: Weighted, w: number): Tensor {
    return this.diff.to('f32').mul(w)
  }

  biasDelta(w: number): Tensor | undefined {
    return this.diffBias?.to('f32').mul(w)
  }

  rows(indices: Tensor, w: number): Tensor {
    return embedding(this.diff, indices).to('f32').mul(w)
  }

  apply(layer: WeightProduct, x: Tensor, w: number): Tensor {
    return layer.product(x, this.diff.to(x.dtype)).mul(w)
  }

  /** Of the product and its two gradients. */
  cost({ weightShape }: WeightProduct): number {
    return 3 * sizeOf(weightShape)
  }
}

/** Tensors with the names that extracted differences have in the field: `<layer>.diff`, `<layer>.diff_b` of a bias. */
export const fullDeltaKind: DeltaKind = {
  names: ['diff', 'diff_b'],
  ofProducts: false,
  shapes: ({ weightShape, bias }, [, diffBias]) => [weightShape, diffBias && bias?.shape],
  of: ([diff, diffBias]) => new FullDelta(diff as Tensor, diffBias),
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
