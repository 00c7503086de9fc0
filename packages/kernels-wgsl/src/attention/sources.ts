import type { DType, Kernel, Target } from '../op.ts'
import { repeat, type Storage } from '../wgsl/index.ts'
import type { Sizes } from './sizes.ts'

/** How the rows that stream past reach the lanes: the part of the text that depends on the adapter's class. */
export interface Sources {
  readonly key: string
  /** Channels of a head that a lane holds, in whole registers. */
  readonly slots: number
  /**
   * Lanes side by side that share a row, each with a part of its channels; WGSL of the channel in a slot of the
   * lane's.
   */
  readonly group: number
  channel(slot: string): string
  /** Rows visited at once: their weights meet one maximum, and sums are carried over once for all of them. */
  readonly together: number
  readonly lanes: number
  readonly subgroups: boolean
  /** Rows a lane may hold in registers, in numbers: beyond, values spill. */
  readonly budget: number
  /** What runs before the loop. */
  readonly kernels: readonly Kernel[]
  /** Rows that a part of the stream should at least visit, where it may be cut into parts. */
  readonly least?: number
  /** What is bound, the streamed operands as they are read. */
  readonly storage: readonly Storage[]
  readonly params: Readonly<Record<string, number>>
  /** Declarations of the module. */
  readonly declarations: string
  /**
   * The loop over `begin` to `end`, whose body sees the rows from `j` on; `other_i` is the i-th of them or the last
   * there is.
   */
  loop(begin: string, end: string, body: string): string
  /** WGSL of channel d of the i-th streamed row of operand y. */
  element(y: string, d: number, i: number): string
}

/** What streams. */
export interface Passing {
  readonly label: string
  readonly dtype: DType
  readonly names: readonly string[]
  readonly storage: readonly Storage[]
  readonly sizes: Sizes
  /** Rows that tiles are visited by at once: more where sums are scaled between rows, once for all of them. */
  readonly together: number
  /** Vectors that a lane holds of each row that it owns: operands and sums. */
  readonly held: number
  /** Rows that are owned, and rows that stream. */
  readonly rows: number
  readonly others: number
}

/** Channels of a head in whole registers, `step` of them at a time. */
export const slotsFor = (depth: number, step: number): number => Math.max(1, Math.ceil(depth / step)) * step

// A register form from buffers serves heads up to this; beyond, its load sites cost too much compile time.
const maxBufferDepth = 64
const lanesOnGpu = 64
// All workgroups of one of an H100's processors have 48 KB between them.
const workgroupBytes = 8192
// What a lane may hold, in numbers: beyond, some of the 255 registers of a thread spill.
const heldOnGpu = 192
/** The variant for an adapter: one subgroup a workgroup on software, tiles on GPUs. */
export function sourcesFor(o: Passing, target: Target): Sources {
  const { subgroupSize } = target
  const few = target.kind === 'software' && subgroupSize >= 4 && 16 % subgroupSize === 0
  return few && slotsFor(o.sizes.depth, 16) <= maxBufferDepth ? fromBuffers(o, subgroupSize) : fromTiles(o, target)
}

/** Where each lane has rows to itself. */
export const alone = { group: 1, channel: (slot: string): string => slot }

/** WGSL of the number of the vector of the i-th streamed row. */
export const seenVector = (i: number): string => `seen + other_${i} * P.token`

/** WGSL that numbers the rows visited at once, `other_i`. */
export const others = (together: number): string => repeat(together, (i) => `let other_${i} = min(j + ${i}u, P.others - 1u);`)

/**
 * Idea: a streamed row is loaded once across the lanes of a subgroup, so that 128 multiply-adds cost four loads and no
 * barrier.
 */
function fromBuffers(o: Passing, lanes: number): Sources {
  const slots = slotsFor(o.sizes.depth, 16)
  const fetch = (y: string): string => repeat(slots / lanes, (g) =>
    `let ${y}_${g} = select(0.0, Acc(${y}[(seen + j * P.token) * P.depth + ${g * lanes}u + lane]), ${g * lanes}u + lane < P.depth);`)
  return {
    key: 'subgroup', slots, ...alone, together: 1, lanes, subgroups: true, budget: 256, kernels: [], storage: o.storage, params: {}, declarations: '',
    loop: (begin, end, body) => /* wgsl */ `
    for (var j = ${begin}; j < ${end}; j++) {
      ${others(1)}
      ${o.names.map(fetch).join('\n')}
      ${body}
    }`,
    element: (y, d) => `subgroupBroadcast(${y}_${Math.floor(d / lanes)}, ${d % lanes}u)`,
  }
}

/**
 * Idea: the lanes of a workgroup share tiles of streamed rows in workgroup memory, and four lanes share the rows that
 * they own, four of them where registers allow, each with every fourth bundle of channels. So registers hold any head,
 * and what is read of a tile serves four rows and not one. Heads that would leave a lane a single row are shared by
 * eight.
 *
 * Measured on an H100 against a lane for each row: heads of 160 over 256 tokens 3.7 times as fast forward, 13 and 26
 * times backward by queries and by keys, where a lane alone spills; heads of 80 over 1,024 tokens 1.1, 1.8 and 4.5
 * times; heads of 40 over 4,096 tokens 1.1, 0.9 and 1.2 times. Indices that Dawn could not prove inside took a quarter
 * of the last's time.
 */
function fromTiles(o: Passing, target: Target): Sources {
  const meets = target.kind === 'gpu' && target.subgroupSize >= 4
  const total = slotsFor(o.sizes.depth, 8)
  const group = !meets ? 1 : target.subgroupSize >= 8 && 2 * o.held * total / 4 > heldOnGpu ? 8 : 4
  const slots = total / group
  const unit = slots % 4 === 0 ? 4 : slots % 2 === 0 ? 2 : 1
  const bundles = total / unit
  // Where a lane holds a whole head the text is long as it is.
  const together = group === 1 ? 1 : o.together
  const most = Math.max(1, Math.floor(workgroupBytes / (4 * o.names.length * total)))
  const tile = Math.max(together, Math.min(32, 2 ** Math.floor(Math.log2(most))))
  // Whole vectors are read where they begin at multiples of four.
  const wide = o.sizes.depth % 4 === 0
  const member = group === 1 ? '0u' : `lane % ${group}u`
  const fetch = (y: string): string => /* wgsl */ `
${wide ? `fn fetch_${y}(seen: u32, j: u32, d: u32) -> vec4f {
  let ok = j < P.others && d < P.depth;
  return select(vec4f(), vec4f(${y}[select(0u, (seen + j * P.token) * P.depth + d, ok) / 4u]), ok);
}` : `fn fetch1_${y}(seen: u32, j: u32, d: u32) -> f32 {
  let ok = j < P.others && d < P.depth;
  return select(0.0, Acc(${y}[select(0u, (seen + j * P.token) * P.depth + d, ok)]), ok);
}
fn fetch_${y}(seen: u32, j: u32, d: u32) -> vec4f {
  return vec4f(${repeat(4, (i) => `fetch1_${y}(seen, j, d + ${i}u)`, ', ')});
}`}
var<workgroup> tile_${y}: array<${unit === 1 ? 'f32' : `vec${unit}f`}, ${tile * bundles}>;`
  const store = (y: string): string => `{
          let v = fetch_${y}(seen, j, d);
          ${unit === 4 ? `tile_${y}[l] = v;` : repeat(4 / unit, (i) => `tile_${y}[l * ${4 / unit}u + ${i}u] = ${unit === 2 ? ['v.xy', 'v.zw'][i] : `v[${i}]`};`, ' ')}
        }`
  return {
    key: group === 1 ? 'tile' : `tile${group}`, slots, group, together, lanes: lanesOnGpu, subgroups: group > 1, budget: heldOnGpu, kernels: [], params: {},
    channel: (slot) => (group === 1 ? slot : `${slot} / ${unit}u * ${group * unit}u + ${member} * ${unit}u + ${slot} % ${unit}u`),
    storage: o.storage.map((s) => (wide && o.names.includes(s.name) ? { ...s, type: 'vec4<Scalar>' } : s)),
    ...(target.kind === 'gpu' ? { least: Math.max(32, tile) } : {}),
    declarations: o.names.map(fetch).join(''),
    loop: (begin, end, body) => /* wgsl */ `
    let member = ${member};
    for (var begin = ${begin}; begin < ${end}; begin += ${tile}u) {
      workgroupBarrier();
      for (var l = lane; l < ${tile * total / 4}u; l += WG) {
        let j = begin + l / ${total / 4}u;
        let d = l % ${total / 4}u * 4u;
        ${o.names.map(store).join('\n')}
      }
      workgroupBarrier();
      // Dawn proves that such indices are inside, and then does not check them.
      for (var turn = 0u; turn < ${tile / together}u; turn++) {
        let j = begin + turn * ${together}u;
        if (j >= ${end}) { break; }
        ${others(together)}
        ${o.names.map((y) => repeat(together, (i) => repeat(slots / unit, (g) =>
          `let ${y}_${g}_${i} = tile_${y}[(turn * ${together}u + ${i}u) * ${bundles}u + ${g * group}u + member];`))).join('\n')}
        ${body}
      }
    }`,
    element: (y, d, i) => `${y}_${Math.floor(d / unit)}_${i}${unit === 1 ? '' : `.${'xyzw'[d % unit]}`}`,
  }
}
