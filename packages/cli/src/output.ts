/** Where results go. */
export interface ResultSink {
  /** Rejects with the system's error if the text cannot be written. */
  write(text: string): Promise<void>
}

/** Exit code of a program that nobody reads from any more: 128 and the number of SIGPIPE, as shells count. */
export const unreadCode = 141

/**
 * Writes a result, and complains if it cannot be written.
 * @returns the exit code of that failure, or undefined if all was written
 */
export async function writeResult(sink: ResultSink, text: string, complain: (text: string) => void): Promise<number | undefined> {
  if (text === '') return undefined
  try {
    await sink.write(text)
    return undefined
  } catch (error) {
    // A reader that has seen enough, as `head`, wants to hear no more.
    if (isUnread(error)) return unreadCode
    complain(`error: the output cannot be written: ${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}

/** Whether writing failed because nobody reads. */
export function isUnread(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE'
}
