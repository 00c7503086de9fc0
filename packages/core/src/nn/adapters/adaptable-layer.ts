import { sizeOf } from '@antipode/kernels-wgsl'
import type { Tensor } from '../../graph/index.ts'
import { Module } from '../module.ts'
import type { WeightDelta, WeightProduct } from './weight-delta.ts'

/** A layer that multiplies by a weight, adds a bias, and can carry changes of the weight. */
export abstract class AdaptableLayer extends Module implements WeightProduct {
  /** Every adapter that the layer has; copies of a model share them. */
  readonly adapters: Map<string, WeightDelta>
  /** Which of them the forward pass adds, and at what weight. */
  active: ReadonlyMap<string, number>

  /** @param like a layer that this one stands for, whose adapters it shares */
  constructor(like?: AdaptableLayer) {
    super()
    this.adapters = like?.adapters ?? new Map()
    this.active = like?.active ?? new Map()
  }

  abstract readonly bias: Tensor | undefined
  abstract readonly weightShape: readonly number[]
  abstract readonly groups: number
  abstract plainWeight(): Tensor
  abstract product(x: Tensor, weight: Tensor, bias?: Tensor): Tensor

  forward(x: Tensor): Tensor {
    const changes = this.changes()
    const folded = foldedWeight(this, changes)
    const y = this.product(x, folded ?? this.plainWeight(), this.bias)
    return folded ? y : changes.reduce((sum, [delta, w]) => sum.add(delta.apply(this, x, w)), y)
  }

  /** Changes that the forward pass makes, each with its weight. */
  protected changes(): readonly Change[] {
    if (this.active.size === 0) return none
    return [...this.active].flatMap(([name, w]): Change[] => {
      const delta = this.adapters.get(name)
      return delta ? [[delta, w]] : []
    })
  }
}

const none: readonly Change[] = []

/** A change at a weight. */
export type Change = readonly [delta: WeightDelta, w: number]

/** `W + Σ w·Δ` in float32, not yet computed. */
export function changedWeight(layer: WeightProduct, changes: readonly Change[]): Tensor {
  return changes.reduce((sum, [delta, w]) => sum.add(delta.delta(layer, w)), layer.plainWeight().to('f32'))
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
  return layer.dtype === 'f32' && sizeOf(layer.weightShape) <= cost ? changedWeight(layer, changes) : undefined
}
