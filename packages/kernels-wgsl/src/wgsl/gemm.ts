import { maxWorkgroups, partsOf, stridedGroups } from '../dispatch.ts'
import type { DType, Epilogue, Kernel, Problem, Target } from '../op.ts'
import { sizeOf } from '../shape.ts'
import { assemble, output, pick, repeat, scratch, type Storage } from './kernel.ts'
import { matrices } from './matrices.ts'
import { tiles, tilesBytes } from './tiles.ts'

/**
 * The one matrix product that matmul, the three convolutions and their gradients share:
 * `out[z, row, col] = Σ_k1 Σ_k2 a(z, row, k1, k2) · b(z, col, k1, k2)`, where an op says in WGSL how operands are walked.
 */
export interface Gemm {
  readonly label: string
  readonly problem: Problem
  /** Rows, columns and batches of the product, and the two loops of the inner sum. */
  readonly rows: number
  readonly cols: number
  readonly batch: number
  readonly outer: number
  readonly inner: number
  /** Uniform fields that `walks` reads as `P.name`. */
  readonly params: Readonly<Record<string, number>>
  readonly storage: readonly [a: Storage, b: Storage]
  /** How operands lie; the left one along the sum and the right one along the columns where nothing is said. */
  readonly aLayout?: Layout
  readonly bLayout?: Layout
  /** Elements of the output from one row to the next; columns stand side by side in runs of so many, each at a multiple of it. */
  readonly rowStride: number
  /**
   * WGSL, all indices u32, of
   * `fn place(z, col) -> vec3u` and `fn turn(k1) -> vec3u`: what a column and a round of the outer sum have in common, worked
   * out once, since division is dear on software adapters;
   * `fn walk_a(z, row, k1) -> Walk` and `fn walk_b(place, turn) -> Walk`: element k2 of an operand stands at
   * `base + k2·step` and counts as zero unless `x + k2·dx < limit` (so a negative x is out);
   * `fn out_column(z, col) -> u32`: where row 0 of a column is stored.
   */
  readonly walks: string
}

/** How an operand of a product lies in its buffer. */
export interface Layout {
  /** Where neighbours in memory are neighbours too: along the inner sum, or along the rows or columns. */
  readonly along: 'sum' | 'lines'
  /** Those stand side by side in runs that begin and end at multiples of so many elements; 1 where they do not. */
  readonly multiple: number
}

const walkStruct = /* wgsl */ `
struct Walk { base: u32, step: u32, x: u32, dx: u32, limit: u32 }
fn inside(base: u32, step: u32) -> Walk { return Walk(base, step, 0u, 0u, 1u); }
`

/** Picks the variant: one subgroup a workgroup on software adapters, tiles on GPUs. */
export function gemm(g: Gemm, target: Target): Kernel[] {
  return target.kind === 'software' && target.subgroupSize >= 4 ? [subgroupGemm(g, target.subgroupSize)] : tiledGemm(g, target)
}

const elements = /* wgsl */ `
fn at_a(k: Walk, k2: u32) -> Acc { let ok = k.x + k2 * k.dx < k.limit; return select(Acc(0), Acc(a[select(0u, k.base + k2 * k.step, ok)]), ok); }
fn at_b(k: Walk, k2: u32) -> Acc { let ok = k.x + k2 * k.dx < k.limit; return select(Acc(0), Acc(b[select(0u, k.base + k2 * k.step, ok)]), ok); }
`

/**
 * Idea: a workgroup is one subgroup of S lanes; each lane owns 4 columns and all 2·S rows of a block, and rows reach it
 * by broadcast, so the inner loop has no barrier and 6 buffer accesses for 8·S·S multiply-adds. What llvmpipe takes for an
 * access leaves nothing to gain for a single row: other orders of its sum come within 6% (1.15 to 1.22 ms by 2048²).
 */
function subgroupGemm(g: Gemm, lanes: number): Kernel {
  // Few rows make a text of their own, and few columns: sixteen rows would do a vector's work sixteen times over.
  const rows = [1, 4, lanes].find((n) => g.rows <= n) ?? 2 * lanes
  const cols = g.cols <= 2 * lanes ? 2 : 4
  const two = rows > lanes
  const row = (f: (i: number) => string): string => repeat(rows, f, '')
  const col = (f: (j: number) => string, between = ' '): string => repeat(cols, f, between)
  const body = /* wgsl */ `${walkStruct}${elements}${g.walks}
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var r = w.x * ${rows}u; r < P.rows; r += nw.x * ${rows}u) {
  let row0 = min(r + lane, P.rows - 1u);
  ${two ? 'let row1 = min(r + lane + WG, P.rows - 1u);' : ''}
  for (var z = w.z; z < P.batch; z += nw.z) {
  for (var block = w.y; block < P.col_blocks; block += nw.y) {
    let c = block * ${cols}u * WG + lane;
    ${col((j) => `let c${j} = place(z, min(c + ${j}u * WG, P.cols - 1u));`)}
    ${row((i) => `var s${i} = vec${cols}f();`)}
    for (var k1 = 0u; k1 < P.outer; k1++) {
      let a0 = walk_a(z, row0, k1);
      ${two ? 'let a1 = walk_a(z, row1, k1);' : ''}
      let round = turn(k1);
      ${col((j) => `let b${j} = walk_b(c${j}, round);`)}
      for (var k2 = 0u; k2 < P.inner; k2++) {
        let x0 = at_a(a0, k2);
        ${two ? 'let x1 = at_a(a1, k2);' : ''}
        let y = vec${cols}f(${col((j) => `at_b(b${j}, k2)`, ', ')});
        ${row((i) => `s${i} += subgroupBroadcast(x${i < lanes ? 0 : 1}, ${i % lanes}u) * y;`)}
      }
    }
    let cols = vec${cols}u(${col((j) => `c + ${j}u * WG`, ', ')});
    var o = vec${cols}u(${col((j) => `out_column(z, cols[${j}])`, ', ')}) + r * P.row_stride;
    let count = min(${rows}u, P.rows - r);
    for (var i = 0u; i < count; i++) {
      var s = vec${cols}f();
      ${pick('s', rows)}
      for (var j = 0u; j < P.each; j++) {
        if (cols[j] < P.cols) { out[o[j]] = Out(epilogue(s[j], o[j])); }
      }
      o += vec${cols}u(P.row_stride);
    }
  }}}
}
`
  const colBlocks = Math.ceil(g.cols / (cols * lanes))
  return build(g, {
    name: `subgroup${rows}${cols === 4 ? '' : `x${cols}`}`, body, outType: outputType(g.problem), workgroup: lanes, subgroups: true,
    groups: [Math.ceil(g.rows / rows), colBlocks, g.batch], params: { col_blocks: colBlocks, each: cols },
  })
}

/** A way to compute a product tile by tile, each by one workgroup. */
export interface Form {
  readonly name: string
  /** Rows and columns of a tile, elements of the sum that are in workgroup memory at a time, and threads of a workgroup. */
  readonly height: number
  readonly breadth: number
  readonly depth: number
  readonly threads: number
  /** WGSL types of the elements of the operands' buffers, as this form reads them. */
  readonly types: readonly [a: string, b: string]
  /** Whether the text uses subgroup matrices. */
  readonly matrices?: boolean
  readonly declarations: string
  /**
   * WGSL of one thread's work `t` on the tile that begins at row `r` and column `c`. It hands results on, those beyond the last row
   * or column too, by `put4(z, part, row, col, values)`: four columns from a multiple of four on.
   */
  readonly tile: string
}

/** The form for a product, by its type and by how many tiles there are: small ones where big ones would leave processors idle. */
function formOf(g: Gemm, target: Target): Form {
  const { busy } = target.variants
  const tilesOf = (height: number, breadth: number): number => Math.ceil(g.rows / height) * Math.ceil(g.cols / breadth) * g.batch
  if (target.matrices && g.problem.inputs[0]?.dtype === 'f16' && Math.min(g.rows, g.cols) >= 16) {
    return matrices(g, tilesOf(128, 128) >= busy / 2 ? { rows: 64, cols: 64, down: 2, across: 2 } : { rows: 32, cols: 32, down: 2, across: 2 })
  }
  return tiles(g, tilesOf(128, 128) >= busy / 2 && tilesBytes(8) <= target.workgroupBytes ? 8 : 4, target)
}

const putVector = /* wgsl */ `
fn put4(z: u32, part: u32, row: u32, col: u32, v: vec4f) {
  if (row >= P.rows || col >= P.cols) { return; }
  let o = out_column(z, col) + row * P.row_stride;
  out[(part * P.size + o) / 4u] = vec4<Out>(vec4f(epilogue(v.x, o), epilogue(v.y, o + 1u), epilogue(v.z, o + 2u), epilogue(v.w, o + 3u)));
}
`

const putEach = /* wgsl */ `
fn put4(z: u32, part: u32, row: u32, col: u32, v: vec4f) {
  for (var j = 0u; j < 4u; j++) {
    if (row < P.rows && col + j < P.cols) {
      let o = out_column(z, col + j) + row * P.row_stride;
      out[part * P.size + o] = Out(epilogue(v[j], o));
    }
  }
}
`

/** Steps of the sum that a part of it should at least have. */
const fewSteps = 8

/**
 * Tiles on GPUs. Where there are too few to keep the processors busy, the sum is cut into parts, whose results a second kernel
 * adds: weight gradients are a few filters by a few taps, summed over all pixels of all images.
 */
function tiledGemm(g: Gemm, target: Target): Kernel[] {
  const form = formOf(g, target)
  const [down, across] = [Math.ceil(g.rows / form.height), Math.ceil(g.cols / form.breadth)]
  const round = Math.max(1, Math.ceil(g.inner / form.depth))
  const all = g.outer * round
  const { count: parts, span: steps } = partsOf(all, { most: target.variants.busy / 2 / (down * across * g.batch), least: fewSteps, unit: 1 })
  const size = sizeOf(g.problem.outputs[0]?.shape ?? [])
  const outType = parts > 1 ? 'f32' : outputType(g.problem)
  const body = /* wgsl */ `${walkStruct}${g.walks}
override WG: u32;
${g.rowStride % 4 === 0 ? putVector : putEach}
${form.declarations}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) t: u32) {
  for (var slice = w.z; slice < P.batch * P.parts; slice += nw.z) {
  for (var row_block = w.y; row_block < P.row_blocks; row_block += nw.y) {
  for (var col_block = w.x; col_block < P.col_blocks; col_block += nw.x) {
    let r = row_block * ${form.height}u;
    let c = col_block * ${form.breadth}u;
    let z = slice / P.parts;
    let part = slice % P.parts;
    ${form.tile}
  }}}
}
`
  const kernel = build({ ...g, storage: [{ ...g.storage[0], type: form.types[0] }, { ...g.storage[1], type: form.types[1] }] }, {
    name: form.name, body, outType, workgroup: form.threads, groups: [across, down, g.batch * parts],
    params: { row_blocks: down, col_blocks: across, parts, steps, all_steps: all, round, size },
    ...(form.matrices ? { matrices: true } : {}),
    vectors: g.rowStride % 4 === 0,
    ...(parts > 1 ? { out: scratch(0, parts * size * 4, 'out'), epilogue: undefined } : {}),
  })
  return parts === 1 ? [kernel] : [{ ...kernel, share: 1 }, sumParts(g, parts, size, target)]
}

/** Adds the parts of a product, `part` [parts, size], to its output. */
function sumParts(g: Gemm, parts: number, size: number, target: Target): Kernel {
  const outType = outputType(g.problem)
  const WG = 64
  return {
    ...assemble({
      label: `${g.label}/${outType}/parts`,
      dtype: outType,
      params: { parts, size },
      storage: [scratch(0, parts * size * 4, 'part'), output(0, 'out')],
      body: /* wgsl */ `
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) t: u32) {
  for (var i = w.x * WG + t; i < P.size; i += nw.x * WG) {
    var s = 0.0;
    for (var p = 0u; p < P.parts; p++) { s += part[p * P.size + i]; }
    out[i] = Scalar(epilogue(s, i));
  }
}
`,
      constants: { WG },
      workgroups: [stridedGroups(Math.ceil(size / WG), target), 1, 1],
      epilogue: g.problem.epilogue,
    }),
    share: 0,
  }
}

function outputType(problem: Problem): DType {
  return problem.epilogue?.dtype ?? problem.outputs[0]?.dtype ?? 'f32'
}

interface Built {
  readonly name: string
  readonly body: string
  readonly outType: string
  readonly workgroup: number
  readonly groups: readonly [number, number, number]
  readonly params: Readonly<Record<string, number>>
  readonly subgroups?: boolean
  readonly matrices?: boolean
  /** Whether results are written four at a time. */
  readonly vectors?: boolean
  /** What is written and the expression fused into that: by default the output and the problem's own. */
  readonly out?: Storage
  readonly epilogue?: Epilogue | undefined
}

function build(g: Gemm, { name, body, outType, workgroup, groups, params, subgroups = false, matrices = false, vectors = false, ...given }: Built): Kernel {
  const dtype = g.problem.inputs[0]?.dtype ?? 'f32'
  const out = given.out ?? output(0, 'out')
  return assemble({
    label: `${g.label}/${dtype}/${name}`,
    dtype,
    subgroups,
    matrices,
    params: { rows: g.rows, cols: g.cols, batch: g.batch, outer: g.outer, inner: g.inner, row_stride: g.rowStride, ...params, ...g.params },
    storage: [...g.storage, { ...out, type: vectors ? `vec4<${outType}>` : outType }],
    body: `alias Out = ${outType};\n${body}`,
    constants: { WG: workgroup },
    // Beyond the limit workgroups loop: a million rows of few columns are no rarity.
    workgroups: [Math.min(groups[0], maxWorkgroups), Math.min(groups[1], maxWorkgroups), Math.min(groups[2], maxWorkgroups)],
    epilogue: given.out ? given.epilogue : g.problem.epilogue,
  })
}
