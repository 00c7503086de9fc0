import type { Tensor } from '../graph/index.ts'
import type { Module } from './module.ts'

/** A module that makes one tensor of one. */
export interface Layer extends Module {
  forward(x: Tensor): Tensor
}

/** Weight `[out, in]` and bias `[out]` of a product x·Wᵀ + b. */
export interface Affine {
  readonly weight: Tensor
  readonly bias: Tensor | undefined
}

/** What stands where a `Linear` does: `[..., in] -> [..., out]`. */
export interface LinearLayer extends Layer {
  /** The product that the layer is, where it is no more than that now: it can be computed beside others then. */
  affine?(): Affine | undefined
}
