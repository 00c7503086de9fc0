import { NumericError, type Tensor } from '@antipode/core'
import { clipGradNorm } from '@antipode/core/optim'
import type { RunState } from './run-state.ts'

/**
 * Throws unless all that a run consists of is finite: parameters, what the optimiser keeps, and averages. One number is read;
 * only where that is not finite are the tensors, so as to name the element.
 * @throws {NumericError} that names it
 */
export async function checkFinite(where: string, { parameters, optimizer, ema }: RunState): Promise<void> {
  const kinds = { parameter: parameters, optimizer: optimizer.state().tensors, ema: ema?.state().tensors ?? new Map<string, Tensor>() }
  // Parameters by themselves, and each kind of state: so an update joins them, and what lies together is not moved.
  const alike = new Map<string, [name: string, tensor: Tensor][]>()
  for (const [kind, tensors] of Object.entries(kinds)) {
    for (const [name, t] of tensors) {
      const key = kind === 'parameter' ? kind : `${kind}${name.slice(name.lastIndexOf('.'))}`
      alike.set(key, [...alike.get(key) ?? [], [`${kind}.${name}`, t]])
    }
  }
  const groups = [...alike.values()]
  if (groups.length === 0) return
  const norms = groups.map((group) => clipGradNorm(group.map(([, t]) => t), Infinity).norm)
  using sum = norms.reduce((a, b) => a.add(b))
  if (Number.isFinite(await sum.item())) return
  for (const [name, t] of groups.flat()) {
    const values = await t.data()
    const bad = values.findIndex((v) => !Number.isFinite(v))
    if (bad < 0) continue
    throw new NumericError(
      `${where}: expected finite numbers, got ${values[bad]} at ${name}[${bad}]; lower the learning rate, and go on from an earlier checkpoint`,
      { where: name },
    )
  }
}
