import { DeviceLostError, OutOfMemoryError, UnsupportedError } from '../errors.ts'
import { mayConcernLibrary } from './gpu-label.ts'

/**
 * The first error after which a device is of no use. The host keeps the listeners, so they hold this and not the
 * device.
 */
export class Failures {
  #first: Error | undefined

  /** Notes an error; only the first counts. */
  note(error: Error): void {
    this.#first ??= error
  }

  /** Has an error thrown from now on, whatever came before. */
  replace(error: Error): void {
    this.#first = error
  }

  /** Throws the first error, if there was one. */
  check(): void {
    if (this.#first) throw this.#first
  }
}

/**
 * The failures of a device from now on: uncaptured errors that may be this library's, and the device's loss. Errors of
 * a program's own work are its own, and hosts write them to the console.
 */
export function watchFailures(device: GPUDevice): Failures {
  const failures = new Failures()
  device.addEventListener('uncapturederror', ({ error }) => {
    if (!mayConcernLibrary(error.message)) return
    const { message } = error
    if (isOutOfMemory(error)) failures.note(new OutOfMemoryError(`the GPU is out of memory: ${message}`))
    else failures.note(new UnsupportedError(`WebGPU: ${message}`))
  })
  void device.lost.then((info) => {
    const { reason, message } = info
    const what = `the GPU device was lost (${reason}): ${message}`
    failures.note(new DeviceLostError(`${what}; request a new Device and reload`))
  })
  return failures
}

function isOutOfMemory(error: GPUError): boolean {
  return typeof GPUOutOfMemoryError !== 'undefined' && error instanceof GPUOutOfMemoryError
}
