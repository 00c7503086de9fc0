import { sizeOf } from '@antipode/kernels-wgsl'
import type { Tensor } from '../../graph/index.ts'
import { Adaptable, type Change, changedBias, changedWeight } from './adaptable.ts'
import type { WeightProduct } from './weight-delta.ts'

/** A layer that multiplies by a weight, adds a bias, and can carry changes of both. */
export abstract class AdaptableLayer extends Adaptable implements WeightProduct {
  abstract readonly groups: number
  abstract product(x: Tensor, weight: Tensor, bias?: Tensor): Tensor

  forward(x: Tensor): Tensor {
    const changes = this.changes()
    const folded = foldedWeight(this, changes)
    const bias = this.bias && changedBias(this, changes)?.to(this.bias.dtype)
    const y = this.product(x, folded ?? this.plainWeight(), bias)
    return folded ? y : changes.reduce((sum, [delta, w]) => sum.add(delta.apply(this, x, w)), y)
  }
}

/**
 * The weight with the changes in it, or undefined where they are better applied beside it, at each position. Training
 * takes the gradient of the whole weight then, `out·in` multiply-adds a position, which for a layer that is narrow for
 * its adapters are fewer than theirs. Not in half precision, where a small change would be lost in the rounding of the
 * sum.
 */
export function foldedWeight(layer: WeightProduct, changes: readonly Change[]): Tensor | undefined {
  if (changes.length === 0) return undefined
  const cost = changes.reduce((sum, [delta]) => sum + delta.cost(layer), 0)
  return layer.plainWeight().dtype === 'f32' && sizeOf(layer.weightShape) <= cost ? changedWeight(layer, changes) : undefined
}
