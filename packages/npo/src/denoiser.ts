import { concat, ShapeError, Tensor } from '@antipode/core'

/** What a denoiser is told besides the sample: nothing, a tensor, or tensors by name; the first axis is the batch. */
export type Condition = undefined | Tensor | Readonly<Record<string, Tensor>>

/**
 * A model as sampling and training see it: `(x, t, condition) -> prediction`.
 * x `[B, ...]`, t `[B]` f32 training timesteps, prediction like x (ε, v or x₀, as the schedule says). A model, the same
 * model with other adapters, and a guided pair of models are all denoisers.
 */
export type Denoiser<C extends Condition = Condition> = (x: Tensor, timesteps: Tensor, condition: C) => Tensor

/** Conditions of several batches joined along the first axis. @throws {ShapeError} if one lacks a tensor of another, or is of another kind */
export function joinConditions<C extends Condition>(...conditions: readonly C[]): C {
  const kinds = new Set(conditions.map((c) => (c === undefined ? 'none' : c instanceof Tensor ? 'a tensor' : 'tensors by name')))
  if (kinds.size > 1) throw new ShapeError(`joinConditions: expected conditions of one kind, got ${[...kinds].join(' and ')}; give all of them the same`)
  const [first] = conditions
  if (first === undefined) return first as C
  if (first instanceof Tensor) return concat(conditions as readonly Tensor[]) as C
  const records = conditions as readonly Readonly<Record<string, Tensor>>[]
  const names = Object.keys(first)
  for (const record of records) {
    const odd = [...names, ...Object.keys(record)].find((name) => !(name in first && name in record))
    if (odd === undefined) continue
    throw new ShapeError(`joinConditions: expected "${odd}" in all conditions, got it in some; add it to the others`)
  }
  return Object.fromEntries(names.map((name) => [name, concat(records.map((r) => r[name] as Tensor))])) as C
}
