import { UnsupportedError } from '../errors.ts'

/** WebGPU's entry point in browsers. */
export async function gpu(_flags: readonly string[] = []): Promise<GPU> {
  const entry = globalThis.navigator?.gpu
  if (!entry) {
    throw new UnsupportedError('Device.request: this browser has no navigator.gpu; use a recent Chromium, Safari or Firefox, over HTTPS or localhost')
  }
  return entry
}

/** Lets the event loop turn once: browsers wait for the GPU in another process, and their main thread must not block. */
export async function rest(_milliseconds: number): Promise<void> {
  await new Promise((resolve) => { setTimeout(resolve) })
}
