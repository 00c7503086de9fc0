import { stridedGroups } from '../dispatch.ts'
import { type DType, f32Bits, type Kernel, type Target } from '../op.ts'
import { assemble, lowest, type Storage } from '../wgsl/index.ts'
import { type AttentionAttrs, type Sizes } from './sizes.ts'

/**
 * The one loop that attention and its gradients share. Each lane owns one, two or four rows (queries or keys) whose
 * vectors it holds in registers; rows of the other kind stream past, one at a time, seen by all lanes.
 */
export interface Stream {
  readonly label: string
  readonly dtype: DType
  readonly sizes: Sizes
  readonly attrs: AttentionAttrs
  /** Whose rows the lanes own; the others stream. */
  readonly own: 'queries' | 'keys'
  /** Buffers `[B,H,rows,D]` held by the lanes that own their rows, and buffers that stream. */
  readonly resident: readonly string[]
  readonly streamed: readonly string[]
  /** Sums `[B,H,rows,D]` of the owned rows, each stored to the buffer named. */
  readonly sums: Readonly<Record<string, string>>
  readonly storage: readonly Storage[]
  /**
   * WGSL before the loop, at each streamed row `j`, and after the loop. Known there: `head`, the owned `row`s,
   * `score(dot, head, row, j)`, `weight(score, top)`, and `R`, the type of one number per owned row.
   */
  readonly before?: (w: Words) => string
  readonly each: (w: Words) => string
  readonly after?: (w: Words) => string
}

/** What depends on the form of the text: arithmetic unrolled over the channels of a head, and numbers per owned row. */
export interface Words {
  /** `Σ_d x_d · y_d` of a resident and a streamed row. */
  dot(x: string, y: string): string
  /** `sum_d = keep · sum_d + by · y_d` for all d. */
  add(sum: string, by: string, y: string, keep?: string): string
  /** `sum_d = sum_d · by` for all d. */
  scale(sum: string, by: string): string
  /** Reads `buffer [B,H,rows]` into a new `name: R`, or writes the variable there. */
  read(name: string, buffer: string): string
  write(name: string, buffer: string): string
}

const step = 16
const lanesOnGpu = 64
// A subgroup's register form serves heads up to this; beyond, its load sites cost too much compile time.
const maxSubgroupDepth = 64
const workgroupBytes = 16_384

/**
 * Idea: on software adapters a workgroup is one subgroup; a streamed row is loaded once across the lanes and its
 * channels reach every lane by broadcast, so that 128 multiply-adds cost four loads and no barrier. On GPUs 64 lanes
 * share tiles of streamed rows in workgroup memory. The text differs by the head's size in steps of 16, nothing else.
 */
export function stream(s: Stream, target: Target): Kernel {
  const { queries, keys, depth, batch, heads, maskBatch, maskHead } = s.sizes
  const [rows, others] = s.own === 'queries' ? [queries, keys] : [keys, queries]
  const slots = Math.max(1, Math.ceil(depth / step)) * step
  const bySubgroup = target.kind === 'software' && step % Math.max(1, target.subgroupSize) === 0 && target.subgroupSize >= 4 && slots <= maxSubgroupDepth
  const lanes = bySubgroup ? target.subgroupSize : lanesOnGpu
  const held = s.resident.length + Object.keys(s.sums).length
  // More rows a lane are fewer loads a multiply-add; a software adapter spills to fast memory, a GPU should not spill.
  const budget = bySubgroup ? 256 : 128
  let each = held * slots * 4 <= budget ? 4 : held * slots * 2 <= budget ? 2 : 1
  while (each > 1 && lanes * each / 2 >= rows) each /= 2
  const unroll = (n: number, f: (i: number) => string, between = '\n'): string => Array.from({ length: n }, (_, i) => f(i)).join(between)
  const type = (scalar: string): string => (each === 1 ? { f: 'f32', u: 'u32' }[scalar] ?? '' : `vec${each}${scalar}`)
  const component = (name: string): string => (each === 1 ? name : `${name}[c]`)
  const element = (y: string, d: number): string =>
    bySubgroup ? `subgroupBroadcast(${y}_${Math.floor(d / lanes)}, ${d % lanes}u)` : `${y}_${d >> 2}.${'xyzw'[d & 3]}`
  const words: Words = {
    // Partial sums of eight, so that the additions do not wait for one another.
    dot: (x, y) => unroll(slots / 8, (g) => `(${unroll(8, (i) => `${x}_${8 * g + i} * ${element(y, 8 * g + i)}`, ' + ')})`, '\n + '),
    add: (sum, by, y, keep) => unroll(slots, (d) => `${sum}_${d} = ${keep ? `${keep} * ` : ''}${sum}_${d} + ${by} * ${element(y, d)};`),
    scale: (sum, by) => unroll(slots, (d) => `${sum}_${d} *= ${by};`, ' '),
    read: (name, buffer) => `var ${name} = R();
    for (var c = 0u; c < P.each; c++) { ${component(name)} = ${buffer}[head * P.rows + ${component('row')}]; }`,
    write: (name, buffer) => `for (var c = 0u; c < P.each; c++) {
      let r = first + c * WG + lane;
      if (r < P.rows) { ${buffer}[head * P.rows + r] = ${component(name)}; }
    }`,
  }
  const [query, key] = s.own === 'queries' ? ['row', `${type('u')}(j)`] : [`${type('u')}(j)`, 'row']
  const lowestText = `R(${lowest})`
  const maskText = s.attrs.hasMask ? /* wgsl */ `
  let at = RU(head / P.heads * P.mask_batch + head % P.heads * P.mask_head) + ${query} * P.keys + ${key};
  t += ${each === 1 ? 'Acc(mask[at])' : `R(${unroll(each, (c) => `Acc(mask[at[${c}]])`, ', ')})`};` : ''
  const tile = Math.max(1, Math.min(32, Math.floor(workgroupBytes / (16 * s.streamed.length * (slots / 4)))))
  const index = (count: string, row: string, d: string): string => `(head * P.${count} + ${row}) * P.depth + ${d}`

  const load = s.resident.map((x) => /* wgsl */ `
    for (var d = 0u; d < P.depth; d++) {
      for (var c = 0u; c < P.each; c++) { ${component('held[d]')} = Acc(${x}[${index('rows', component('row'), 'd')}]); }
    }
    ${unroll(slots, (d) => `let ${x}_${d} = held[${d}];`, ' ')}`).join('')
  const fromSubgroup = (y: string): string => unroll(slots / lanes, (g) =>
    `let ${y}_${g} = select(0.0, Acc(${y}[${index('others', 'j', `${g * lanes}u + lane`)}]), ${g * lanes}u + lane < P.depth);`)
  const fromTile = (y: string): string => unroll(slots / 4, (g) => `let ${y}_${g} = tile_${y}[(j - begin) * ${slots / 4}u + ${g}u];`)
  const fetch = (y: string): string => /* wgsl */ `
fn fetch_${y}(head: u32, j: u32, d: u32) -> f32 {
  let ok = j < P.others && d < P.depth;
  return select(0.0, Acc(${y}[select(0u, ${index('others', 'j', 'd')}, ok)]), ok);
}
var<workgroup> tile_${y}: array<vec4f, ${tile * slots / 4}>;`
  const range = s.attrs.causal ? (s.own === 'queries' ? ['0u', 'min(P.others, first + ROWS)'] : ['first', 'P.others']) : ['0u', 'P.others']
  const visit = (rowsOf: (y: string) => string): string => `${s.streamed.map(rowsOf).join('\n')}\n${s.each(words)}`
  const loop = bySubgroup ? /* wgsl */ `
    for (var j = ${range[0]}; j < ${range[1]}; j++) {
      ${visit(fromSubgroup)}
    }` : /* wgsl */ `
    for (var begin = ${range[0]}; begin < ${range[1]}; begin += ${tile}u) {
      workgroupBarrier();
      for (var l = lane; l < ${tile * slots / 4}u; l += WG) {
        let j = begin + l / ${slots / 4}u;
        let d = l % ${slots / 4}u * 4u;
        ${s.streamed.map((y) => `tile_${y}[l] = vec4f(fetch_${y}(head, j, d), fetch_${y}(head, j, d + 1u), fetch_${y}(head, j, d + 2u), fetch_${y}(head, j, d + 3u));`).join('\n')}
      }
      workgroupBarrier();
      for (var j = begin; j < min(begin + ${tile}u, ${range[1]}); j++) {
        ${visit(fromTile)}
      }
    }`
  const store = Object.entries(s.sums).map(([sum, buffer]) => /* wgsl */ `
    held = array<R, ${slots}>(${unroll(slots, (d) => `${sum}_${d}`, ', ')});
    for (var d = 0u; d < P.depth; d++) {
      for (var c = 0u; c < P.each; c++) {
        let r = first + c * WG + lane;
        if (r < P.rows) { ${buffer}[${index('rows', 'r', 'd')}] = Scalar(${component('held[d]')}); }
      }
    }`).join('')

  const blocks = Math.ceil(rows / (lanes * each))
  return assemble({
    label: `${s.label}/${s.dtype}/${slots}x${each}${s.attrs.causal ? '/causal' : ''}${s.attrs.hasMask ? '/mask' : ''}/${bySubgroup ? 'subgroup' : 'tile'}`,
    dtype: s.dtype,
    subgroups: bySubgroup,
    params: {
      items: batch * heads * blocks, blocks, rows, others, keys, depth, each, heads,
      mask_batch: maskBatch, mask_head: maskHead, 'scale: f32': f32Bits(s.attrs.scale),
    },
    storage: s.storage,
    body: /* wgsl */ `
override WG: u32;
alias R = ${type('f')};
alias RU = ${type('u')};
const ROWS = ${lanes * each}u;
fn score(dot: R, head: u32, row: RU, j: u32) -> R {
  var t = dot * P.scale;${maskText}
  t = max(t, ${lowestText});
  return ${s.attrs.causal ? `select(${lowestText}, t, ${key} <= ${query})` : 't'};
}
// the weight of a score against a maximum or a log-sum-exp; exactly zero for a key that is switched off
fn weight(t: R, top: R) -> R { return select(exp(t - top), R(), t <= ${lowestText}); }
${bySubgroup ? '' : s.streamed.map(fetch).join('')}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var item = w.x; item < P.items; item += groups.x) {
    let head = item / P.blocks;
    let first = item % P.blocks * ROWS;
    let row = min(RU(first + lane)${each === 1 ? '' : ` + WG * RU(${unroll(each, (c) => `${c}u`, ', ')})`}, RU(P.rows - 1u));
    var held = array<R, ${slots}>();${load}
    ${Object.keys(s.sums).map((sum) => unroll(slots, (d) => `var ${sum}_${d} = R();`, ' ')).join('\n')}
    ${s.before?.(words) ?? ''}${loop}
    ${s.after?.(words) ?? ''}${store}
  }
}
`,
    constants: { WG: lanes },
    workgroups: [stridedGroups(batch * heads * blocks, target), 1, 1],
    epilogue: null,
  })
}
