import type { Trace } from '../results.ts'

type Method = (this: unknown, ...args: readonly unknown[]) => unknown
type Prototype = Record<string, unknown>

/** The classes of WebGPU whose calls are counted, as Dawn's binding to Node, or a browser, puts them on the global object. */
interface Classes {
  readonly GPUDevice?: { readonly prototype: unknown }
  readonly GPUQueue?: { readonly prototype: unknown }
  readonly GPUComputePassEncoder?: { readonly prototype: unknown }
}

/**
 * Counts what `work` asks of WebGPU, by wrapping its classes while it runs; undefined where they are not, as in a library that
 * brings a native implementation.
 */
export async function traced(work: () => Promise<void>, classes: Classes = globalThis as Classes): Promise<Trace | undefined> {
  const { GPUDevice, GPUQueue, GPUComputePassEncoder } = classes
  if (!GPUDevice || !GPUQueue || !GPUComputePassEncoder) return undefined
  const counts = { dispatches: 0, submits: 0, bindGroups: 0, buffers: 0, bytes: 0 }
  const undo = [
    wrap(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', () => { counts.dispatches++ }),
    wrap(GPUComputePassEncoder.prototype, 'dispatchWorkgroupsIndirect', () => { counts.dispatches++ }),
    wrap(GPUQueue.prototype, 'submit', () => { counts.submits++ }),
    wrap(GPUDevice.prototype, 'createBindGroup', () => { counts.bindGroups++ }),
    wrap(GPUDevice.prototype, 'createBuffer', (descriptor) => {
      counts.buffers++
      counts.bytes += (descriptor as GPUBufferDescriptor).size
    }),
  ]
  try {
    await work()
  } finally {
    for (const restore of undo) restore()
  }
  return counts
}

/** Calls `seen` with the first argument before each call of a method; returns what undoes it. */
function wrap(prototype: unknown, name: string, seen: (argument: unknown) => void): () => void {
  const owner = prototype as Prototype
  const original = owner[name] as Method | undefined
  if (!original) return () => undefined
  owner[name] = function (this: unknown, ...args: readonly unknown[]) {
    seen(args[0])
    return Reflect.apply(original, this, args)
  }
  return () => { owner[name] = original }
}
