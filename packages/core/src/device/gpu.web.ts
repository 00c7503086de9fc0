import { UnsupportedError } from '../errors.ts'

/** WebGPU's entry point in browsers. */
export async function gpu(_flags: readonly string[] = []): Promise<GPU> {
  const entry = globalThis.navigator?.gpu
  if (!entry) {
    throw new UnsupportedError('Device.request: this browser has no navigator.gpu; use a recent Chromium, Safari or Firefox, over HTTPS or localhost')
  }
  return entry
}
