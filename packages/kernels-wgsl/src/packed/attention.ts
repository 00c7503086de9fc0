import {
  alone, type AttentionAttrs, attentionLoop, gradKVLoops, gradQLoop, type Loop, loopKernels, others, type Passing, passing,
  slotsFor, type Sources, vectorSteps,
} from '../attention/index.ts'
import type { Kernel, Problem, Target } from '../op.ts'
import { repeat, texture } from '../wgsl/index.ts'
import { packPanels, panelTexels } from './operands/index.ts'
import { texelsFit } from './packing-cost.ts'

/** Attention whose keys and values are packed. */
export function packedAttention(problem: Problem<AttentionAttrs>, target: Target): readonly Kernel[] | undefined {
  return packedLoops([attentionLoop(problem)], target)
}

/** The gradient of q where keys and values are packed. */
export function packedAttentionGradQ(problem: Problem<AttentionAttrs>, target: Target): readonly Kernel[] | undefined {
  return packedLoops([gradQLoop(problem)], target)
}

/** The gradients of k and v where queries and slopes are packed. */
export function packedAttentionGradKV(problem: Problem<AttentionAttrs>, target: Target): readonly Kernel[] | undefined {
  return packedLoops(gradKVLoops(problem), target)
}

/** Multiply-adds from which packing pays: it adds dispatches of some 0.1 ms. */
const fewestMacs = 4_000_000

function packedLoops(loops: readonly Loop[], target: Target): Kernel[] | undefined {
  const kernels = loops.map((loop) => {
    const sources = fromTextures(passing(loop), target)
    return sources && loopKernels(loop, sources, target)
  })
  return kernels.includes(undefined) ? undefined : kernels.flatMap((k) => k ?? [])
}

/**
 * Idea: streamed rows are packed into textures, so that a lane fetches four channels in one call, and visited four at
 * a time, so that sums are carried through memory once for four rows. Channels reach all lanes by broadcast.
 */
function fromTextures(o: Passing, target: Target): Sources | undefined {
  const lanes = target.subgroupSize
  const { batch, heads, depth } = o.sizes
  const macs = batch * heads * o.rows * o.others * depth
  const readsTextures = target.kind === 'software' && target.textureRows > 0
  if (!readsTextures || lanes < 4 || 8 % lanes !== 0 || macs < fewestMacs) return undefined
  const slots = slotsFor(depth, 8)
  const inner = slots / 4
  const step = vectorSteps(o.sizes, o.others)
  const panels = Math.ceil(o.others / lanes)
  const kernels: Kernel[] = []
  const storage = o.storage.map((s) => {
    if (!o.names.includes(s.name)) return s
    const packing = {
      label: o.label, dtype: o.dtype, input: s.binding.index, texture: kernels.length, batch: batch * heads, rows: o.others, width: lanes, panels,
      outer: 1, length: depth, inner,
      steps: { batch: heads * o.others * depth, heads, head: step.head * depth, row: step.token * depth, radix: 1, turns: [0, 0], element: 1 },
    } as const
    kernels.push(packPanels(packing, target))
    return texture(packing.texture, panelTexels(packing), s.name, 'read')
  })
  const texels = batch * heads * panels * lanes * inner
  if (!texelsFit(target, texels)) return undefined
  const together = 4
  const fetches = Math.ceil(slots / 4 / lanes)
  // Panels go on with zeros beyond the last row, and rows beyond their last channel as far as slots do: nothing is
  // read twice there, since 0 · ∞ is NaN.
  const fetch = (y: string): string => repeat(together, (i) => repeat(fetches, (g) =>
    `let ${y}_${g}_${i} = textureLoad(${y}, at(((unit * P.panels + (j + ${i}u) / WG) * P.texels + min(${g * lanes}u + lane, P.texels - 1u)) * WG + (j + ${i}u) % WG));`))
  return {
    key: 'textures', slots, ...alone, together, lanes, subgroups: true, budget: 256, kernels, storage,
    params: { panels, texels: inner },
    declarations: '',
    loop: (begin, end, body) => /* wgsl */ `
    for (var j = ${begin}; j < ${end}; j += ${together}u) {
      ${others(together)}
      ${o.names.map(fetch).join('\n')}
      ${body}
    }`,
    element: (y, d, i) => `subgroupBroadcast(${y}_${Math.floor(d / 4 / lanes)}_${i}.${'xyzw'[d & 3]}, ${(d >> 2) % lanes}u)`,
  }
}
