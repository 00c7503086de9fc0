import { UnsupportedError } from '../errors.ts'

/** WebGPU's entry point in browsers. */
export async function gpu(_flags: readonly string[] = []): Promise<GPU> {
  const entry = globalThis.navigator?.gpu
  if (!entry) {
    throw new UnsupportedError('Device.request: this browser has no navigator.gpu; use a recent Chromium, Safari or Firefox, over HTTPS or localhost')
  }
  return entry
}

/** Browsers have no environment. */
export function environment(_name: string): undefined {
  return undefined
}

/** Lets the event loop turn once. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve) })
}

/** Nothing: browsers wait for the GPU in another process, and their main thread must not block. */
export function sleepSync(_milliseconds: number): void {}

/** Nothing: browsers count what the driver keeps. */
export function collectGarbage(): void {}

/** Browsers cache nothing: there is no place for it. */
export function cachePath(_name: string): undefined {
  return undefined
}

/** Nothing is cached, so nothing is found. */
export async function readText(_path: string): Promise<undefined> {
  return undefined
}

/** @throws {UnsupportedError} always */
export async function writeText(path: string, _text: string): Promise<void> {
  throw new UnsupportedError(`cache: expected a host with files to write ${path}, got a browser`)
}

/** Unknown here, and needed for what is cached alone. */
export function kernelsVersion(): string {
  return ''
}
