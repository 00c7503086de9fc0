import { DisposedError } from '../errors.ts'
import type { ByteSource } from './source.ts'

/** Whether a file may still be read. */
export interface OpenState {
  /** @throws {DisposedError} of a file that was closed, and the signal's reason */
  check(): void
  /** Closes the source, once. */
  close(): Promise<void>
}

/** @param op the function that opened the file, as its user called it */
export function openState(op: string, source: ByteSource, signal: AbortSignal | undefined): OpenState {
  let closed = false
  return {
    check() {
      signal?.throwIfAborted()
      if (!closed) return
      throw new DisposedError(
        `${op}: ${source.label}: expected an open file, got a closed one; read its tensors before close()`,
      )
    },
    async close() {
      if (closed) return
      closed = true
      await source.close()
    },
  }
}
