import type { Kernel } from '@antipode/kernels-wgsl'
import { UnsupportedError } from '../errors.ts'
import { Recent } from '../graph/index.ts'
import type { GpuComputePipeline, GpuDevice } from '../webgpu-types.ts'
import { gpuLabel } from './gpu-label.ts'

/** How far the compiling of the kernels is that a graph needs and that were not there yet. */
export interface CompileProgress {
  readonly done: number
  readonly total: number
}

/** Pipelines kept for plans to come, or up to twice as many; those that exist keep their own. A large network needs some hundreds. */
const capacity = 2048

/** Compute pipelines by shader text and constants: shapes are parameters, so one pipeline serves many of them. */
export class PipelineCache {
  readonly #device: GpuDevice
  readonly #pipelines = new Recent<Promise<GpuComputePipeline>>(capacity)
  #compiled = 0

  constructor(device: GpuDevice) {
    this.#device = device
  }

  /** Pipelines ever compiled. */
  get size(): number {
    return this.#compiled
  }

  /**
   * The pipelines of these kernels; those that are not there yet are all asked for at once, and reported as they come.
   * @throws {UnsupportedError} with the compiler's messages and the shader's text if one does not compile
   */
  async of(kernels: readonly Kernel[], report: ((progress: CompileProgress) => void) | undefined): Promise<GpuComputePipeline[]> {
    const fresh: Promise<GpuComputePipeline>[] = []
    const pipelines = kernels.map((kernel) => this.#pipeline(kernel, fresh))
    if (fresh.length > 0) report?.({ done: 0, total: fresh.length })
    let done = 0
    const reported = fresh.map((pipeline) => pipeline.then(() => { report?.({ done: ++done, total: fresh.length }) }))
    const [ready] = await Promise.all([Promise.all(pipelines), Promise.all(reported)])
    return ready
  }

  /** The pipeline of a kernel, which is put into `fresh` if it was not there yet. */
  #pipeline(kernel: Kernel, fresh: Promise<GpuComputePipeline>[]): Promise<GpuComputePipeline> {
    const key = kernel.constants ? kernel.wgsl + JSON.stringify(kernel.constants) : kernel.wgsl
    let pipeline = this.#pipelines.get(key)
    if (!pipeline) {
      pipeline = this.#compile(kernel)
      this.#compiled++
      fresh.push(pipeline)
      this.#pipelines.set(key, pipeline)
    }
    return pipeline
  }

  async #compile(kernel: Kernel): Promise<GpuComputePipeline> {
    const module = this.#device.createShaderModule({ label: gpuLabel(kernel.label), code: kernel.wgsl })
    try {
      return await this.#device.createComputePipelineAsync({
        label: gpuLabel(kernel.label),
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
