import { evaluate, ShapeError, type Tensor } from '@antipode/core'

/** Gradients by the names of their parameters. */
export type NamedGradients = ReadonlyMap<string, Tensor>

/** What makes of a step's gradients those of the update, such as their mean over several devices. */
export type ReduceGradients = (gradients: NamedGradients, step: number) => NamedGradients | Promise<NamedGradients>

/** Gradients in the order of the parameters, with what must be disposed once they are used. */
export interface ReducedGradients extends Disposable {
  readonly grads: readonly Tensor[]
}

/**
 * Evaluates gradients, beside what else the step is measured by, and hands them to `reduce`.
 * @throws {ShapeError} unless it gives one of the same shape for each parameter
 */
export async function reduceGradients(
  reduce: ReduceGradients, names: readonly string[], grads: readonly Tensor[], measured: Tensor, step: number,
): Promise<ReducedGradients> {
  // A gradient may be a tensor of the loss's own.
  const owned = new Set(grads.filter((t) => t.source.kind === 'node'))
  const release = (): void => { for (const t of owned) t.dispose() }
  try {
    await evaluate(measured, ...grads)
    const given = new Map(names.map((name, i) => [name, grads[i] as Tensor]))
    const made = await reduce(given, step)
    for (const t of made.values()) if (!grads.includes(t)) owned.add(t)
    const reduced = [...given].map(([name, { shape }]) => {
      const t = made.get(name)
      if (t?.shape.join() === shape.join()) return t
      const got = t ? `[${t.shape.join()}]` : 'none'
      throw new ShapeError(
        `train: expected reduce to give a gradient [${shape.join()}] of "${name}", got ${got}; give one for each`,
      )
    })
    return { grads: reduced, [Symbol.dispose]: release }
  } catch (error) {
    release()
    throw error
  }
}
