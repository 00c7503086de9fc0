import { constant, evaluate, type Tensor } from '@antipode/core'
import type { Accumulator } from '@antipode/core/optim'
import type { Measures, Measuring } from './measures.ts'

/** As much of a run's options as says where batches come from and go to. */
export interface BatchOptions<B> {
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly batch: (index: number) => B | Promise<B>
  readonly release?: (batch: B) => void
  readonly accumulate?: number
  readonly signal?: AbortSignal
}

/** What `work` makes of a batch, which is released whatever happens. */
export async function withBatch<B, R>(
  { batch: batchOf, release }: BatchOptions<B>, index: number, work: (batch: B) => Promise<R>,
): Promise<R> {
  const batch = await batchOf(index)
  try {
    return await work(batch)
  } finally {
    release?.(batch)
  }
}

/**
 * Loss, metrics and gradients as means over the batches of a step, one after the other.
 * @param first number of the first batch
 * @returns nothing where the run was aborted before the last of them
 */
export async function gather<B>(
  options: BatchOptions<B>, mean: Accumulator, measures: Measuring<B>, first: number, lossScale?: number,
): Promise<Measures | undefined> {
  const { parameters, accumulate = 1, signal } = options
  mean.reset()
  let names: readonly string[] = []
  const sums: number[] = []
  for (let k = 0; k < accumulate; k++) {
    if (signal?.aborted) return undefined
    await withBatch(options, first + k, async (batch) => {
      const { report, grads, ...rest } = measures(batch, lossScale)
      const updates = mean.add(parameters, grads)
      try {
        await evaluate(report, ...updates)
        for (const [i, value] of (await report.data()).entries()) sums[i] = (sums[i] ?? 0) + value
      } finally {
        for (const t of [report, ...updates]) t.dispose()
      }
      names = rest.names
    })
  }
  const [any] = parameters.values() as Iterable<Tensor> as [Tensor] // a run has at least one
  const grads = mean.mean()
  return {
    report: constant(any.device, sums.map((sum) => sum / accumulate), undefined, { allowNonFinite: true }),
    names,
    grads: Array.from(parameters.keys(), (name) => grads.get(name) as Tensor), // the same that were added
    scale: constant(any.device, [1]),
  }
}
