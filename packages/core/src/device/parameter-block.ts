import { at } from '@antipode/kernels-wgsl'
import type { Graph, Plan } from '../plan/index.ts'
import { gpuLabel } from './gpu-label.ts'

/** The uniform blocks of a plan's dispatches and its constants, in one buffer; a run writes only what changed. */
export class ParameterBlock {
  readonly buffer: GPUBuffer
  readonly #queue: GPUQueue
  readonly #plan: Plan
  /** What the buffer holds, and the same by bytes. */
  readonly #words: Uint32Array<ArrayBuffer>
  readonly #bytes: Uint8Array
  #written = false

  constructor(device: GPUDevice, plan: Plan) {
    this.#queue = device.queue
    this.#plan = plan
    this.#words = plan.words.slice()
    this.#bytes = new Uint8Array(this.#words.buffer)
    this.buffer = device.createBuffer({
      label: gpuLabel('plan parameters'),
      size: Math.max(256, this.#words.byteLength),
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    })
  }

  /** Writes the scalars and constants of a graph. */
  write({ scalars, constants }: Graph): void {
    // The words from `begin` to `end` have changed: a step's few numbers, not the whole block.
    let [begin, end] = this.#written ? [Infinity, 0] : [0, this.#words.length]
    for (const { word, scalar } of this.#plan.scalarWords) {
      const bits = scalars[scalar] as number // as many as the structure has
      if (this.#words[word] === bits) continue
      this.#words[word] = bits
      begin = Math.min(begin, word)
      end = Math.max(end, word + 1)
    }
    constants.forEach((t, k) => {
      if (t.source.kind !== 'constant') return
      const offset = at(this.#plan.constantOffsets, k)
      this.#bytes.set(t.source.bytes, offset)
      begin = Math.min(begin, offset / 4)
      end = Math.max(end, Math.ceil((offset + t.source.bytes.byteLength) / 4))
    })
    if (begin < end) this.#queue.writeBuffer(this.buffer, 4 * begin, this.#words, begin, end - begin)
    this.#written = true
  }
}
