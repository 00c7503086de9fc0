/** Reports how far a long command has come, phase by phase. */
export interface Progress {
  /**
   * Begins a phase of work.
   * @param title what is being done, as "training the base"
   * @param total units of work in it, above 0; the phase may end earlier
   */
  phase(title: string, total: number): PhaseHandle
}

/** One phase of work. Calls after `done` do nothing. */
export interface PhaseHandle {
  /**
   * Says that work was done.
   * @param n units of work, 1 by default
   * @param note shown beside the phase until the next note, as "loss 0.31"
   */
  advance(n?: number, note?: string): void
  /** Ends the phase. @param note shown beside the finished phase */
  done(note?: string): void
}

/** A {@link Progress} that shows something, and must be told when the command is over. */
export interface ClosableProgress extends Progress {
  /** Ends what is still shown, leaves the terminal as it was found, and shows nothing further. */
  close(): void
}

/** Shows nothing. */
export const silentProgress: ClosableProgress = {
  phase: (): PhaseHandle => ({ advance: (): void => undefined, done: (): void => undefined }),
  close: (): void => undefined,
}
