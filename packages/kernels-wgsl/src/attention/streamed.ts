import type { DType, Kernel, Target } from '../op.ts'
import { packPanels, panelTexels, texelsFit } from '../panels/index.ts'
import { repeat, type Storage, texture } from '../wgsl/index.ts'
import { type Sizes, vectorSteps } from './sizes.ts'

/** How the rows that stream past reach the lanes: the part of the text that depends on the adapter's class. */
export interface Streamed {
  readonly key: string
  /** Channels of a head in whole registers. */
  readonly slots: number
  /** Rows visited at once: their weights meet one maximum, and sums are carried over once for all of them. */
  readonly together: number
  readonly lanes: number
  readonly subgroups: boolean
  /** Rows a lane may hold in registers, in numbers: beyond, values spill. */
  readonly budget: number
  readonly kernels: readonly Kernel[]
  /** What is bound, the streamed operands as they are read. */
  readonly storage: readonly Storage[]
  readonly params: Readonly<Record<string, number>>
  /** Declarations of the module. */
  readonly declarations: string
  /** The loop over `begin` to `end`, whose body sees the rows from `j` on; `other_i` is the i-th of them or the last there is. */
  loop(begin: string, end: string, body: string): string
  /** WGSL of channel d of the i-th streamed row of operand y. */
  element(y: string, d: number, i: number): string
}

/** What streams. */
export interface StreamedOptions {
  readonly label: string
  readonly dtype: DType
  readonly names: readonly string[]
  readonly storage: readonly Storage[]
  readonly sizes: Sizes
  /** Rows that are owned, and rows that stream. */
  readonly rows: number
  readonly others: number
}

const slotsFor = (depth: number, step: number): number => Math.max(1, Math.ceil(depth / step)) * step

// A register form from buffers serves heads up to this; beyond, its load sites cost too much compile time.
const maxBufferDepth = 64
const lanesOnGpu = 64
const workgroupBytes = 16_384
/** Multiply-adds from which packing pays: it adds dispatches of some 0.1 ms. */
const worthPacking = 4_000_000

/** The variant for an adapter: textures where it reads these fastest, one subgroup a workgroup on software, tiles on GPUs. */
export function streamed(o: StreamedOptions, target: Target): Streamed {
  const { subgroupSize } = target
  const { batch, heads, depth } = o.sizes
  if (target.kind === 'software' && subgroupSize >= 4) {
    if (target.textureRows > 0 && 8 % subgroupSize === 0 && batch * heads * o.rows * o.others * depth >= worthPacking) {
      const packed = fromTextures(o, target)
      if (packed) return packed
    }
    if (16 % subgroupSize === 0 && slotsFor(depth, 16) <= maxBufferDepth) return fromBuffers(o, subgroupSize)
  }
  return fromTiles(o)
}

/** WGSL of the number of the vector of the i-th streamed row. */
export const seenVector = (i: number): string => `seen + other_${i} * P.token`

const others = (together: number): string => repeat(together, (i) => `let other_${i} = min(j + ${i}u, P.others - 1u);`)

/**
 * Idea: streamed rows are packed into textures, so that a lane fetches four channels in one call, and visited four at a time,
 * so that sums are carried through memory once for four rows. Channels reach all lanes by broadcast.
 */
function fromTextures(o: StreamedOptions, target: Target): Streamed | undefined {
  const lanes = target.subgroupSize
  const { batch, heads, depth } = o.sizes
  const inner = Math.ceil(depth / 4)
  const step = vectorSteps(o.sizes, o.others)
  const panels = Math.ceil(o.others / lanes)
  const kernels: Kernel[] = []
  const storage = o.storage.map((s) => {
    if (!o.names.includes(s.name)) return s
    const packing = {
      label: o.label, dtype: o.dtype, input: s.binding.index, texture: kernels.length, batch: batch * heads, rows: o.others, width: lanes, panels,
      outer: 1, length: depth,
      steps: { batch: heads * o.others * depth, heads, head: step.head * depth, row: step.token * depth, radix: 1, turns: [0, 0], element: 1 },
    } as const
    kernels.push(packPanels(packing, target))
    return texture(packing.texture, panelTexels(packing), s.name, 'read')
  })
  const texels = batch * heads * panels * lanes * inner
  if (!texelsFit(target, texels)) return undefined
  const slots = slotsFor(depth, 8)
  const together = 4
  const fetches = Math.ceil(slots / 4 / lanes)
  const fetch = (y: string): string => repeat(together, (i) => repeat(fetches, (g) =>
    `let ${y}_${g}_${i} = textureLoad(${y}, at(((unit * P.panels + other_${i} / WG) * P.texels + min(${g * lanes}u + lane, P.texels - 1u)) * WG + other_${i} % WG));`))
  return {
    key: 'textures', slots, together, lanes, subgroups: true, budget: 256, kernels, storage,
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

/** Idea: a streamed row is loaded once across the lanes of a subgroup, so that 128 multiply-adds cost four loads and no barrier. */
function fromBuffers(o: StreamedOptions, lanes: number): Streamed {
  const slots = slotsFor(o.sizes.depth, 16)
  const fetch = (y: string): string => repeat(slots / lanes, (g) =>
    `let ${y}_${g} = select(0.0, Acc(${y}[(seen + j * P.token) * P.depth + ${g * lanes}u + lane]), ${g * lanes}u + lane < P.depth);`)
  return {
    key: 'subgroup', slots, together: 1, lanes, subgroups: true, budget: 256, kernels: [], storage: o.storage, params: {}, declarations: '',
    loop: (begin, end, body) => /* wgsl */ `
    for (var j = ${begin}; j < ${end}; j++) {
      ${others(1)}
      ${o.names.map(fetch).join('\n')}
      ${body}
    }`,
    element: (y, d) => `subgroupBroadcast(${y}_${Math.floor(d / lanes)}, ${d % lanes}u)`,
  }
}

/** Idea: 64 lanes share tiles of streamed rows in workgroup memory. */
function fromTiles(o: StreamedOptions): Streamed {
  const slots = slotsFor(o.sizes.depth, 16)
  const tile = Math.max(1, Math.min(32, Math.floor(workgroupBytes / (16 * o.names.length * (slots / 4)))))
  const fetch = (y: string): string => /* wgsl */ `
fn fetch_${y}(seen: u32, j: u32, d: u32) -> f32 {
  let ok = j < P.others && d < P.depth;
  return select(0.0, Acc(${y}[select(0u, (seen + j * P.token) * P.depth + d, ok)]), ok);
}
var<workgroup> tile_${y}: array<vec4f, ${tile * slots / 4}>;`
  return {
    key: 'tile', slots, together: 1, lanes: lanesOnGpu, subgroups: false, budget: 128, kernels: [], storage: o.storage, params: {},
    declarations: o.names.map(fetch).join(''),
    loop: (begin, end, body) => /* wgsl */ `
    for (var begin = ${begin}; begin < ${end}; begin += ${tile}u) {
      workgroupBarrier();
      for (var l = lane; l < ${tile * slots / 4}u; l += WG) {
        let j = begin + l / ${slots / 4}u;
        let d = l % ${slots / 4}u * 4u;
        ${o.names.map((y) => `tile_${y}[l] = vec4f(fetch_${y}(seen, j, d), fetch_${y}(seen, j, d + 1u), fetch_${y}(seen, j, d + 2u), fetch_${y}(seen, j, d + 3u));`).join('\n')}
      }
      workgroupBarrier();
      for (var j = begin; j < min(begin + ${tile}u, ${end}); j++) {
        ${others(1)}
        ${o.names.map((y) => repeat(slots / 4, (g) => `let ${y}_${g} = tile_${y}[(j - begin) * ${slots / 4}u + ${g}u];`)).join('\n')}
        ${body}
      }
    }`,
    element: (y, d) => `${y}_${d >> 2}.${'xyzw'[d & 3]}`,
  }
}
