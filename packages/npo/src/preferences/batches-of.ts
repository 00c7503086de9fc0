import { abortSignal, checkOptions, whole } from '@antipode/core/options'

/** What {@link train} takes of a maker of batches. */
export interface BatchMaker<Batch> {
  /** The batch of a training step. It depends on the step, the seed and the weights alone. */
  readonly batch: (step: number) => Promise<Batch>
  /** Disposes what was made for a batch. */
  readonly release: (batch: Batch) => void
}

/** Options of {@link batchesOf}. */
export interface BatchesOfOptions {
  /** Number of the first batch, to go on from an interrupted run; 0 by default. */
  readonly from?: number
  /** Number after that of the last batch; there is no last one by default. */
  readonly to?: number
  readonly signal?: AbortSignal
}

/**
 * The batches of a maker one after the other, outside of {@link train}. A batch lives until the next one is asked for or
 * the loop is left. Since batches depend on their numbers, a loop that begins at a later one gives what the other would
 * have.
 * @throws {ConfigError} if an option is unknown or outside its range
 */
export async function* batchesOf<Batch>(
  maker: BatchMaker<Batch>, options: BatchesOfOptions = {},
): AsyncGenerator<{ readonly step: number; readonly batch: Batch }, void, void> {
  checkOptions('batchesOf', options, { from: whole(0), to: whole(0), signal: abortSignal })
  const { from = 0, to = Infinity, signal } = options
  for (let step = from; step < to; step++) {
    signal?.throwIfAborted()
    const batch = await maker.batch(step)
    try {
      yield { step, batch }
    } finally {
      maker.release(batch)
    }
  }
}
