import { concat, Tensor } from '@antipode/core'

/** What a denoiser is told besides the sample: nothing, a tensor, or tensors by name; the first axis is the batch. */
export type Condition = undefined | Tensor | Readonly<Record<string, Tensor>>

/**
 * A model as sampling and training see it: `(x, t, condition) -> prediction`.
 * x `[B, ...]`, t `[B]` f32 training timesteps, prediction like x (ε, v or x₀, as the schedule says). A model, the same
 * model with other adapters, and a guided pair of models are all denoisers.
 */
export type Denoiser<C extends Condition = Condition> = (x: Tensor, timesteps: Tensor, condition: C) => Tensor

/** The condition of several batches joined along the first axis. */
export function joinConditions<C extends Condition>(...conditions: readonly C[]): C {
  const [first] = conditions
  if (first === undefined) return first as C
  if (first instanceof Tensor) return concat(conditions as readonly Tensor[]) as C
  const records = conditions as readonly Readonly<Record<string, Tensor>>[]
  return Object.fromEntries(Object.keys(first).map((k) => [k, concat(records.map((r) => r[k] as Tensor))])) as C
}
