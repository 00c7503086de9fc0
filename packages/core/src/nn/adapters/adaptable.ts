import type { Tensor } from '../../graph/index.ts'
import { Module } from '../module.ts'
import type { WeightDelta, Weighted } from './weight-delta.ts'

/** A layer whose weight, and bias where it has one, can carry changes. */
export abstract class Adaptable extends Module implements Weighted {
  /** Every adapter that the layer has; copies of a model share them. */
  readonly adapters: Map<string, WeightDelta>
  /** Which of them the forward pass adds, and at what weight. */
  active: ReadonlyMap<string, number>

  /** @param like a layer that this one stands for, whose adapters it shares */
  constructor(like?: Adaptable) {
    super()
    this.adapters = like?.adapters ?? new Map()
    this.active = like?.active ?? new Map()
  }

  abstract readonly bias: Tensor | undefined
  abstract readonly weightShape: readonly number[]
  abstract plainWeight(): Tensor

  /** Changes that the forward pass makes, each with its weight. */
  protected changes(): readonly Change[] {
    if (this.active.size === 0) return none
    return [...this.active].flatMap(([name, w]): Change[] => {
      const delta = this.adapters.get(name)
      return delta ? [[delta, w]] : []
    })
  }

  /** Weight and bias with the changes in them, each rounded once to the element type that it has. */
  protected changed(): { readonly weight: Tensor; readonly bias: Tensor | undefined } {
    const [changes, weight, bias] = [this.changes(), this.plainWeight(), this.bias]
    if (changes.length === 0) return { weight, bias }
    return {
      weight: changedWeight(this, changes).to(weight.dtype), bias: bias && changedBias(this, changes)?.to(bias.dtype),
    }
  }
}

const none: readonly Change[] = []

/** A change at a weight. */
export type Change = readonly [delta: WeightDelta, w: number]

/** `W + Σ w·Δ` in float32, not yet computed. */
export function changedWeight(layer: Weighted, changes: readonly Change[]): Tensor {
  return changes.reduce((sum, [delta, w]) => sum.add(delta.delta(layer, w)), layer.plainWeight().to('f32'))
}

/** The bias with the changes in it: in float32 and not yet computed, or as it is where there are none. */
export function changedBias({ bias }: Weighted, changes: readonly Change[]): Tensor | undefined {
  if (!bias) return undefined
  return changes.reduce((sum, [delta, w]) => {
    const change = delta.biasDelta?.(w)
    return change ? sum.to('f32').add(change) : sum
  }, bias)
}
