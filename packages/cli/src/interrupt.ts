/** Why the signal of an interrupted command is aborted. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'
  readonly code = 'INTERRUPTED'
}

/** What of `process` interrupts need. */
export interface SignalSource {
  on(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  off(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
}

/** Exit code of a command that was interrupted: 128 and the number of SIGINT, as shells count. */
export const interruptedCode = 130

/**
 * Turns Ctrl-C and SIGTERM into an abort: the first one aborts `signal` with an {@link InterruptedError}, so that the
 * command can end in order; the second one calls `exit` at once, with 130 and that error.
 * @param say receives a line for the user
 */
export function onInterrupt(
  source: SignalSource,
  { say, exit }: { readonly say: (line: string) => void; readonly exit: (code: number, reason: InterruptedError) => void },
): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  const reason = new InterruptedError('the command was interrupted')
  const listener = (): void => {
    if (controller.signal.aborted) return exit(interruptedCode, reason)
    say('interrupted: stopping after the current step; press Ctrl-C again to stop at once')
    controller.abort(reason)
  }
  const events = ['SIGINT', 'SIGTERM'] as const
  for (const event of events) source.on(event, listener)
  return {
    signal: controller.signal,
    [Symbol.dispose](): void {
      for (const event of events) source.off(event, listener)
    },
  }
}
