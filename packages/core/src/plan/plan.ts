import { bindingAlignment, type Target } from '@antipode/kernels-wgsl'
import { alias } from './alias.ts'
import { fuse } from './fuse.ts'
import type { GraphStructure } from './graph.ts'
import { lower, type LoweredGraph } from './lower.ts'
import { assignMemory, type MemoryPlan } from './memory.ts'
import { sharePacked } from './packing/index.ts'
import type { Dispatch, PlanBuffer, Program } from './program.ts'
import { resolve } from './resolve.ts'
import type { Resolved } from './resolved.ts'
import { bytesOf } from './sizes.ts'
import type { Work } from './work.ts'

/**
 * All that running a graph takes, worked out once per structure and with no GPU: dispatches in order, memory by
 * liveness, and one block of parameters in which only scalars and constants change between runs.
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

/** What each pass makes of a graph. */
export interface Passes {
  readonly resolved: Resolved
  readonly work: readonly Work[]
  readonly lowered: LoweredGraph
  readonly program: Program
}

/** Runs the passes, each on what the one before it made; `printPasses` shows them. */
export function passesOf(graph: GraphStructure, target: Target): Passes {
  const resolved = resolve(graph)
  const work = fuse(resolved, target)
  const lowered = lower(work, resolved, target)
  const program = sharePacked(alias(lowered, resolved, target), graph.leaves)
  return { resolved, work, lowered, program }
}

/** Plans a graph: what it gives depends on the graph's structure and the target alone. */
export function makePlan(graph: GraphStructure, target: Target): Plan {
  const { program } = passesOf(graph, target)
  return layOut(program, graph)
}

/** Adds memory and the block of parameters. */
function layOut(program: Program, { constants }: GraphStructure): Plan {
  const { buffers, outputs, overwritten } = program
  const memory = assignMemory(program)
  let bytes = 0
  const place = (size: number): number => {
    const offset = bytes
    bytes += Math.ceil(Math.max(16, size) / bindingAlignment) * bindingAlignment
    return offset
  }
  const dispatches = program.dispatches.map((d) => ({ ...d, offset: place(d.kernel.params.length * 4) }))
  const constantOffsets = constants.map(({ spec }) => place(bytesOf(spec)))
  const words = new Uint32Array(bytes / 4)
  const scalarWords: { word: number; scalar: number }[] = []
  for (const d of dispatches) {
    words.set(d.kernel.params, d.offset / 4)
    const first = d.kernel.scalarWord
    if (first === undefined) continue
    d.scalars.forEach((scalar, k) => { scalarWords.push({ word: d.offset / 4 + first + k, scalar }) })
  }
  const { peakBytes } = memory
  return { buffers, dispatches, outputs, overwritten, memory, words, scalarWords, constantOffsets, peakBytes }
}
