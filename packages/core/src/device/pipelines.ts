import type { Kernel } from '@antipode/kernels-wgsl'
import { UnsupportedError } from '../errors.ts'

/** Compute pipelines by shader text and constants: shapes are parameters, so one pipeline serves many of them. */
export class PipelineCache {
  readonly #device: GPUDevice
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>()

  constructor(device: GPUDevice) {
    this.#device = device
  }

  /** Pipelines ever compiled. */
  get size(): number {
    return this.#pipelines.size
  }

  /** @throws {UnsupportedError} with the compiler's messages and the shader's text if it does not compile */
  pipeline(kernel: Kernel): Promise<GPUComputePipeline> {
    const key = kernel.constants ? kernel.wgsl + JSON.stringify(kernel.constants) : kernel.wgsl
    let pipeline = this.#pipelines.get(key)
    if (!pipeline) {
      pipeline = this.#compile(kernel)
      this.#pipelines.set(key, pipeline)
    }
    return pipeline
  }

  async #compile(kernel: Kernel): Promise<GPUComputePipeline> {
    const module = this.#device.createShaderModule({ label: kernel.label, code: kernel.wgsl })
    try {
      return await this.#device.createComputePipelineAsync({
        label: kernel.label,
        layout: 'auto',
        compute: { module, entryPoint: 'main', ...(kernel.constants ? { constants: kernel.constants } : {}) },
      })
    } catch (cause) {
      const { messages } = await module.getCompilationInfo()
      const lines = messages.map((m) => `  ${m.type} at ${m.lineNum}:${m.linePos}: ${m.message}`)
      throw new UnsupportedError(`${kernel.label}: the shader does not compile on this adapter\n${lines.join('\n')}\n${kernel.wgsl}`, { cause })
    }
  }
}
