/** What {@link train} takes of a maker of batches. */
export interface BatchMaker<B> {
  /** The batch of a training step. It depends on the step, the seed and the weights alone. */
  readonly batch: (step: number) => Promise<B>
  /** Disposes what was made for a batch. */
  readonly release: (batch: B) => void
}
