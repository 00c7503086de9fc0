import { type Choice, where } from '@antipode/kernels-wgsl'
import { apply1, scalar, type Tensor } from '../graph/index.ts'

/**
 * A cotangent that counts only where all choices fell so. It goes on whole through the elementwise ops of a branch and is cut
 * behind them: multiplied first by 0, it would meet the infinite slopes that the branch not taken may have, as √x at −1 has.
 */
export interface Cotangent {
  readonly g: Tensor
  readonly when: readonly Choice<Tensor>[]
}

/** The cotangent with zeros where it does not count. */
export function cut({ g, when }: Cotangent): Tensor {
  const zero = scalar(g.device, 0, g.dtype)
  return when.reduce((d, { by, holds }) => apply1(where, holds ? [by, d, zero] : [by, zero, d]), g)
}

/** The sum of two, still whole where both count under the same choices. */
export function sum(a: Cotangent, b: Cotangent): Cotangent {
  const alike = a.when.length === b.when.length && a.when.every((c, i) => c.by === b.when[i]?.by && c.holds === b.when[i]?.holds)
  return alike ? { g: a.g.add(b.g), when: a.when } : { g: cut(a).add(cut(b)), when: [] }
}
