import { UnsupportedError } from '../errors.ts'

/** WebGPU's entry point in Node: Dawn, from the optional peer dependency `webgpu`. */
export async function gpu(flags: readonly string[] = []): Promise<GPU> {
  const dawn = await import('webgpu').catch((cause: unknown) => {
    throw new UnsupportedError('Device.request: expected the package "webgpu" in Node; install it with `npm install webgpu`', { cause })
  })
  Object.assign(globalThis, dawn.globals)
  return dawn.create([...flags])
}

const bell = /* @__PURE__ */ new Int32Array(new SharedArrayBuffer(4))

/** Lets the event loop turn once, Dawn's polling included, and then blocks the thread for so many milliseconds. */
export async function rest(milliseconds: number): Promise<void> {
  await new Promise((resolve) => { setImmediate(resolve) })
  if (milliseconds > 0) Atomics.wait(bell, 0, 0, milliseconds)
}
