import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { UnsupportedError } from '../errors.ts'
import { cacheFolder, makeFolder, writeAtomically } from '../io/index.ts'

/**
 * What is asked of Dawn beside its defaults: timestamps to the nanosecond, which it rounds to 65 µs lest web pages spy, and a
 * program here need not; subgroup matrices, which WebGPU has not adopted yet; and f16 on NVIDIA, where it is held back because
 * of failures in the conformance tests, while our own tests of every operation in f16 pass.
 */
const ours = ['disable-dawn-features=timestamp_quantization', 'enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia']

/** Options for Dawn, of which it heeds only the last of each name: lists of features become one list. */
export function dawnFlags(flags: readonly string[]): string[] {
  const byName = new Map<string, string[]>()
  for (const flag of [...ours, ...flags]) {
    const [name = '', value] = flag.split(/=(.*)/s)
    const lists = /^(en|dis)able-dawn-features$/.test(name)
    byName.set(name, [...(lists ? byName.get(name) ?? [] : []), ...(value === undefined ? [] : [value])])
  }
  return [...byName].map(([name, values]) => (values.length === 0 ? name : `${name}=${values.join(',')}`))
}

/**
 * Entry points by their flags, as long as a device holds them. Each brings a driver of its own, whose threads last until it is
 * collected: 50 devices that were destroyed left 300 threads on lavapipe, each with an entry point of its own, and 5 with one.
 */
const entries = /* @__PURE__ */ new Map<string, WeakRef<GPU>>()

/** WebGPU's entry point in Node: Dawn, from the optional peer dependency `webgpu`. */
export async function gpu(flags: readonly string[] = []): Promise<GPU> {
  const dawn = await import('webgpu').catch((cause: unknown) => {
    throw new UnsupportedError('Device.request: expected the package "webgpu" in Node; install it with `npm install webgpu`', { cause })
  })
  Object.assign(globalThis, dawn.globals)
  const all = dawnFlags(flags)
  const key = all.join('\n')
  const entry = entries.get(key)?.deref() ?? dawn.create(all)
  entries.set(key, new WeakRef(entry))
  return entry
}

/** A variable of the environment. */
export function environment(name: string): string | undefined {
  return process.env[name]
}

const bell = /* @__PURE__ */ new Int32Array(new SharedArrayBuffer(4))

/** Lets the event loop turn once, Dawn's polling included. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => { setImmediate(resolve) })
}

/** Blocks the thread for so many milliseconds. */
export function sleepSync(milliseconds: number): void {
  Atomics.wait(bell, 0, 0, milliseconds)
}

let collect: (() => void) | undefined

/**
 * Runs the collector now. It counts bytes of its own heap, of which a handle takes few, and so leaves garbage for hours whose
 * memory the driver keeps until then.
 */
export function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void // what the flag adds to new contexts
  }
  collect()
}

/** Where this user's file of that name is cached: below XDG_CACHE_HOME if that is set, else where the system keeps caches. */
export function cachePath(name: string): string {
  return join(cacheFolder(), name)
}

/** The text of a file, or undefined if there is none. Errors of the system pass through. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
    throw error
  }
}

/** Writes a file in one go, its folders too: who reads meanwhile sees the old text or the new one. @throws if the system refuses */
export async function writeText(path: string, text: string): Promise<void> {
  await makeFolder(dirname(path))
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(text)
  }
  await writeAtomically('cache', path, chunks())
}

/** The version of the kernels that are installed. */
export function kernelsVersion(): string {
  const manifest = createRequire(import.meta.url)('@antipode/kernels-wgsl/package.json') as { readonly version: string } // our own
  return manifest.version
}
