import { type DType, sizeOf } from '@antipode/kernels-wgsl'
import { type Tensor, tensor, type Backend } from '../graph/index.ts'
import { noise } from './compare.ts'

/** A leaf of a case: a shape, filled with noise in [-1, 1]; or with noise in a range; or indices below a bound. */
export type LeafSpec =
  | readonly number[]
  | { readonly shape: readonly number[]; readonly range: readonly [number, number] }
  | { readonly shape: readonly number[]; readonly below: number }

/** A composed graph with a scalar loss, on which gradients are checked and adapters compared. */
export interface GraphCase {
  readonly name: string
  readonly leaves: Readonly<Record<string, LeafSpec>>
  loss(t: Readonly<Record<string, Tensor>>): Tensor
}

/** A case whose leaves are known by name to its loss. */
export function graphCase<K extends string>(
  name: string,
  leaves: Readonly<Record<K, LeafSpec>>,
  loss: (t: Readonly<Record<K, Tensor>>) => Tensor,
): GraphCase {
  return { name, leaves, loss: loss as GraphCase['loss'] }
}

/** Uploads the leaves of a case: the same numbers wherever and whenever. */
export function leavesOf(host: Backend, { leaves }: GraphCase, dtype: DType = 'f32'): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(leaves).map(([name, spec], k) => {
    const shape = 'shape' in spec ? spec.shape : spec
    const n = sizeOf(shape)
    if ('below' in spec) return [name, tensor(host, noise(n, k, 0, spec.below).map(Math.floor), shape, { dtype: 'i32' })]
    const [lo, hi] = 'range' in spec ? spec.range : [-1, 1]
    return [name, tensor(host, noise(n, k, lo, hi), shape, { dtype })]
  }))
}
