import type { Prepared, Problem, Runner } from '../workload.ts'
import { repeatable } from './graphs.ts'
import { encodeModel } from './model.ts'
import { type Ort, type OrtTensor, peerModule, peerVersion } from './ort.ts'

/** onnxruntime for browsers in Node: its kernels in TypeScript ("JSEP") on the same Dawn as ours. Inputs and outputs stay on the GPU. */
export async function openWeb(): Promise<Runner> {
  const { browserLike } = await import('../../peers/host.mjs' as string) as { browserLike: () => Promise<{ adapter: string; software: boolean }> }
  const host = await browserLike()
  copyShared()
  const ort = await peerModule('onnxruntime-web/dist/ort.min.mjs')
  // Threads would be Workers, which Node has not as browsers have.
  ort.env.wasm.numThreads = 1
  ort.env.logLevel = 'error'
  return { name: 'onnxruntime-web', version: peerVersion('onnxruntime-web'), ...host, prepare: (problem) => prepare(ort, problem) }
}

/** Its heap is shared memory, which Dawn's binding to Node does not take data from: such data are copied first. */
function copyShared(): void {
  const { prototype } = GPUQueue
  const write = prototype.writeBuffer as (...args: readonly unknown[]) => undefined
  prototype.writeBuffer = function (this: GPUQueue, ...args: readonly unknown[]) {
    const [buffer, offset, data, start = 0, size] = args as [GPUBuffer, number, ArrayBuffer | Uint8Array, number?, number?]
    const shared = ArrayBuffer.isView(data) ? data.buffer : data
    if (!(shared instanceof SharedArrayBuffer)) return Reflect.apply(write, this, args) as undefined
    const [from, length, unit] = ArrayBuffer.isView(data) ? [data.byteOffset, data.byteLength, data.BYTES_PER_ELEMENT] : [0, shared.byteLength, 1]
    const bytes = new Uint8Array(shared, from + start * unit, size === undefined ? length - start * unit : size * unit)
    return write.call(this, buffer, offset, bytes.slice())
  }
}

async function prepare(ort: Ort, problem: Problem): Promise<Prepared> {
  const { input, graph } = repeatable(problem)
  const session = await ort.InferenceSession.create(encodeModel(graph(problem.repeats ?? 1)), {
    executionProviders: ['webgpu'], graphOptimizationLevel: 'all', preferredOutputLocation: 'gpu-buffer', logSeverityLevel: 3,
  })
  const device = await ort.env.webgpu.device
  const buffer = device.createBuffer({ size: Math.ceil(input.data.byteLength / 16) * 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC })
  device.queue.writeBuffer(buffer, 0, input.data as Float32Array<ArrayBuffer>)
  const x = ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: input.shape })
  let result: OrtTensor | undefined
  return {
    async run() {
      result?.dispose()
      result = (await session.run({ x }))['y']
    },
    wait: async () => { await device.queue.onSubmittedWorkDone() },
    read: async () => [await result?.getData() as Float32Array],
  }
}
