import { byteSize, type DType, type Kernel, type Spec, type Target, textureWidth } from '../op.ts'
import { sizeOf } from '../shape.ts'
import { decode, encode } from './elements.ts'

/** The device that GPU tests run on; the set-up file of a test project puts it at `globalThis.kernelTestHost`. */
export interface TestHost {
  readonly device: GPUDevice
  readonly target: Target
  /** For test names: which adapter this is. */
  readonly name: string
}

declare global {
  var kernelTestHost: TestHost | undefined
}

const pipelines = new Map<string, Promise<GPUComputePipeline>>()

function pipelineOf(device: GPUDevice, kernel: Kernel): Promise<GPUComputePipeline> {
  const key = kernel.wgsl + JSON.stringify(kernel.constants ?? {})
  let pipeline = pipelines.get(key)
  if (!pipeline) {
    const module = device.createShaderModule({ label: kernel.label, code: kernel.wgsl })
    pipeline = device.createComputePipelineAsync({
      label: kernel.label,
      layout: 'auto',
      compute: { module, entryPoint: 'main', ...(kernel.constants ? { constants: kernel.constants } : {}) },
    }).catch(async (cause: unknown) => {
      const { messages } = await module.getCompilationInfo()
      throw invalid(kernel, messages, cause)
    })
    pipelines.set(key, pipeline)
  }
  return pipeline
}

const invalid = ({ label, wgsl }: Kernel, messages: readonly GPUCompilationMessage[], cause?: unknown): Error =>
  new Error(`${label}: ${messages.map((m) => `${m.lineNum}:${m.linePos} ${m.message}`).join('; ')}\n${wgsl}`, { cause })

/** Compiles kernels as far as their device does before it runs them: texts are read, checked and translated. */
export async function compileKernels({ device }: TestHost, kernels: readonly Kernel[]): Promise<void> {
  for (const kernel of kernels) await pipelineOf(device, kernel)
}

const readTexts = new Set<string>()

/** Has the device read and check the texts of kernels, of which it compiles nothing. */
export async function readKernels({ device }: TestHost, kernels: readonly Kernel[]): Promise<void> {
  for (const kernel of kernels) {
    if (readTexts.has(kernel.wgsl)) continue
    readTexts.add(kernel.wgsl)
    const { messages } = await device.createShaderModule({ label: kernel.label, code: kernel.wgsl }).getCompilationInfo()
    const errors = messages.filter((m) => m.type === 'error')
    if (errors.length > 0) throw invalid(kernel, errors)
  }
}

/** An input of {@link runKernels}: its elements, and their bytes where they are known already. */
export interface KernelInput {
  readonly spec: Spec
  readonly data: ArrayLike<number>
  readonly bytes?: Uint8Array<ArrayBuffer>
}

/** Runs the kernels of one op on plain arrays and reads every output back. */
export async function runKernels(
  { device }: TestHost,
  kernels: readonly Kernel[],
  inputs: readonly KernelInput[],
  outputs: readonly Spec[],
  inplace: readonly (number | undefined)[] = [],
): Promise<Float64Array[]> {
  const owned: GPUBuffer[] = []
  const buffer = (bytes: number, usage: number): GPUBuffer => {
    const b = device.createBuffer({ size: Math.max(16, Math.ceil(bytes / 4) * 4), usage })
    owned.push(b)
    return b
  }
  const storage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
  const inputBuffers = inputs.map(({ spec, data, bytes = encode(data, spec.dtype) }) => {
    const b = buffer(bytes.byteLength, storage)
    device.queue.writeBuffer(b, 0, bytes)
    return b
  })
  const bytesOf = (s: Spec): number => sizeOf(s.shape) * byteSize(s.dtype)
  const outputBuffers = outputs.map((s, k) => {
    const shared = inplace[k]
    if (shared !== undefined && inputBuffers[shared]) return inputBuffers[shared]
    const b = buffer(bytesOf(s), storage)
    // Whatever a kernel leaves unwritten must show.
    device.queue.writeBuffer(b, 0, new Uint8Array(b.size).fill(0x7b))
    return b
  })
  const scratch = new Map<number, GPUBuffer>()
  const textures = new Map<number, GPUTexture>()
  device.pushErrorScope('validation')
  const encoder = device.createCommandEncoder()
  for (const kernel of kernels) {
    const pipeline = await pipelineOf(device, kernel)
    const uniform = buffer(Math.ceil(kernel.params.length / 4) * 16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST)
    device.queue.writeBuffer(uniform, 0, new Uint32Array(kernel.params))
    const resources = kernel.bindings.map((b) => {
      if (b.kind === 'input') return inputBuffers[b.index]
      if (b.kind === 'output') return outputBuffers[b.index]
      if (b.kind === 'texture') {
        const made = textures.get(b.index) ?? device.createTexture({
          size: [textureWidth, b.rows], format: 'rgba32float', usage: GPUTextureUsage.STORAGE_BINDING,
        })
        textures.set(b.index, made)
        return made
      }
      const own = scratch.get(b.index) ?? buffer(b.kind === 'scratch' ? b.byteLength : 16, storage)
      scratch.set(b.index, own)
      return own
    })
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [uniform, ...resources].map((r, binding) => ({ binding, resource: r && 'createView' in r ? r.createView() : { buffer: r as GPUBuffer } })),
    }))
    pass.dispatchWorkgroups(...kernel.workgroups)
    pass.end()
  }
  const staging = outputs.map((s, k) => {
    const size = Math.max(4, Math.ceil(bytesOf(s) / 4) * 4)
    const b = buffer(size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST)
    encoder.copyBufferToBuffer(outputBuffers[k] as GPUBuffer, 0, b, 0, size)
    return b
  })
  device.queue.submit([encoder.finish()])
  const error = await device.popErrorScope()
  if (error) throw new Error(`${kernels.map((k) => k.label).join(', ')}: ${error.message}\n${kernels[0]?.wgsl ?? ''}`)
  const results: Float64Array[] = []
  for (const [k, s] of outputs.entries()) {
    const b = staging[k] as GPUBuffer
    await b.mapAsync(GPUMapMode.READ)
    results.push(decode(b.getMappedRange().slice(0), s.dtype, sizeOf(s.shape)))
    b.unmap()
  }
  for (const r of [...owned, ...textures.values()]) r.destroy()
  return results
}

/** A value as the dtype can hold it. */
export function rounded(x: number, dtype: DType): number {
  return decode(encode([x], dtype).buffer, dtype, 1)[0] ?? 0
}
