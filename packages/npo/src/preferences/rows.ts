import { constant, embedding, Tensor } from '@antipode/core'
import type { Condition } from '../denoiser.ts'

/** Some rows of a tensor along its first axis, in the order given. */
export function rowsOf(x: Tensor, rows: readonly number[]): Tensor {
  return embedding(x, constant(x.device, rows, [rows.length], { dtype: 'i32' }))
}

/** The same of everything that a condition holds. */
export function conditionRows<C extends Condition>(condition: C, rows: readonly number[]): C {
  if (condition === undefined) return condition
  if (condition instanceof Tensor) return rowsOf(condition, rows) as C
  return Object.fromEntries(Object.entries<Tensor>(condition).map(([name, t]) => [name, rowsOf(t, rows)])) as C
}
