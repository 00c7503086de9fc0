import { bindingAlignment, type Target } from '@antipode/kernels-wgsl'
import { build, type Dispatch } from './build.ts'
import type { PlanBuffer } from './buffers.ts'
import { assignMemory, type MemoryPlan } from './memory.ts'
import type { Graph } from './walk.ts'

/**
 * All that running a graph takes, worked out once per structure and with no GPU: dispatches in order, memory by liveness,
 * and one block of parameters in which only scalars and constants change between runs.
 */
export interface Plan {
  readonly buffers: readonly PlanBuffer[]
  readonly dispatches: readonly (Dispatch & { readonly offset: number })[]
  readonly outputs: readonly number[]
  readonly overwritten: readonly number[]
  readonly memory: MemoryPlan
  /** Uniform blocks of all dispatches, then the constants; `words` is the pristine copy. */
  readonly words: Uint32Array
  /** Where scalars go: word of the block, index of the graph's scalar. */
  readonly scalarWords: readonly { readonly word: number; readonly scalar: number }[]
  /** Byte offset of each of the graph's constants in the block. */
  readonly constantOffsets: readonly number[]
  /** Bytes alive at once while the plan runs, beyond its leaves: intermediates and results. */
  readonly peakBytes: number
}

/** Plans a graph. */
export function makePlan(graph: Graph, target: Target): Plan {
  const program = build(graph, target)
  const memory = assignMemory(program)
  let bytes = 0
  const place = (size: number): number => {
    const offset = bytes
    bytes += Math.ceil(Math.max(16, size) / bindingAlignment) * bindingAlignment
    return offset
  }
  const dispatches = program.dispatches.map((d) => ({ ...d, offset: place(d.kernel.params.length * 4) }))
  const constantOffsets = graph.constants.map((t) => place(t.source.kind === 'constant' ? t.source.bytes.byteLength : 0))
  const words = new Uint32Array(bytes / 4)
  const scalarWords: { word: number; scalar: number }[] = []
  for (const d of dispatches) {
    words.set(d.kernel.params, d.offset / 4)
    const first = d.kernel.scalarWord
    if (first !== undefined) d.scalars.forEach((scalar, k) => { scalarWords.push({ word: d.offset / 4 + first + k, scalar }) })
  }
  return {
    buffers: program.buffers, dispatches, outputs: program.outputs, overwritten: program.overwritten, memory, words, scalarWords, constantOffsets,
    peakBytes: memory.peakBytes,
  }
}
