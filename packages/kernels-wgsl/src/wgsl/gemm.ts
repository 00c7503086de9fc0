import { maxWorkgroups } from '../dispatch.ts'
import type { Kernel, Problem, Target } from '../op.ts'
import { assemble, output, pick, type Storage } from './kernel.ts'

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
  /** Elements of the output from one row to the next. */
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

const walkStruct = /* wgsl */ `
struct Walk { base: u32, step: u32, x: u32, dx: u32, limit: u32 }
fn inside(base: u32, step: u32) -> Walk { return Walk(base, step, 0u, 0u, 1u); }
fn at_a(k: Walk, k2: u32) -> Acc { let ok = k.x + k2 * k.dx < k.limit; return select(Acc(0), Acc(a[select(0u, k.base + k2 * k.step, ok)]), ok); }
fn at_b(k: Walk, k2: u32) -> Acc { let ok = k.x + k2 * k.dx < k.limit; return select(Acc(0), Acc(b[select(0u, k.base + k2 * k.step, ok)]), ok); }
`

/** Picks the variant: one subgroup a workgroup on software adapters, workgroup-memory tiles on GPUs. */
export function gemm(g: Gemm, target: Target): Kernel {
  return target.kind === 'software' && target.subgroupSize >= 4 ? subgroupGemm(g, target.subgroupSize) : tiledGemm(g)
}

/**
 * Idea: a workgroup is one subgroup of S lanes; each lane owns 4 columns and all 2·S rows of a block, and rows reach it
 * by broadcast, so the inner loop has no barrier and 6 buffer accesses for 8·S·S multiply-adds.
 */
function subgroupGemm(g: Gemm, lanes: number): Kernel {
  // Few rows make a text of their own: sixteen would do a vector's work sixteen times over.
  const rows = [1, 4, lanes].find((n) => g.rows <= n) ?? 2 * lanes
  const two = rows > lanes
  const each = (f: (i: number) => string): string => Array.from({ length: rows }, (_, i) => f(i)).join('')
  const body = /* wgsl */ `${walkStruct}${g.walks}
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var r = w.x * ${rows}u; r < P.rows; r += nw.x * ${rows}u) {
  let row0 = min(r + lane, P.rows - 1u);
  ${two ? 'let row1 = min(r + lane + WG, P.rows - 1u);' : ''}
  for (var z = w.z; z < P.batch; z += nw.z) {
  for (var block = w.y; block < P.col_blocks; block += nw.y) {
    let c = block * 4u * WG + lane;
    let c0 = place(z, min(c, P.cols - 1u));
    let c1 = place(z, min(c + WG, P.cols - 1u));
    let c2 = place(z, min(c + 2u * WG, P.cols - 1u));
    let c3 = place(z, min(c + 3u * WG, P.cols - 1u));
    ${each((i) => `var s${i} = vec4f();`)}
    for (var k1 = 0u; k1 < P.outer; k1++) {
      let a0 = walk_a(z, row0, k1);
      ${two ? 'let a1 = walk_a(z, row1, k1);' : ''}
      let round = turn(k1);
      let b0 = walk_b(c0, round);
      let b1 = walk_b(c1, round);
      let b2 = walk_b(c2, round);
      let b3 = walk_b(c3, round);
      for (var k2 = 0u; k2 < P.inner; k2++) {
        let x0 = at_a(a0, k2);
        ${two ? 'let x1 = at_a(a1, k2);' : ''}
        let y = vec4f(at_b(b0, k2), at_b(b1, k2), at_b(b2, k2), at_b(b3, k2));
        ${each((i) => `s${i} += subgroupBroadcast(x${i < lanes ? 0 : 1}, ${i % lanes}u) * y;`)}
      }
    }
    let cols = c + WG * vec4u(0u, 1u, 2u, 3u);
    var o = vec4u(out_column(z, cols.x), out_column(z, cols.y), out_column(z, cols.z), out_column(z, cols.w)) + r * P.row_stride;
    let count = min(${rows}u, P.rows - r);
    for (var i = 0u; i < count; i++) {
      var s = vec4f();
      ${pick('s', rows)}
      for (var j = 0u; j < P.four; j++) {
        if (cols[j] < P.cols) { out[o[j]] = Out(epilogue(s[j], o[j])); }
      }
      o += vec4u(P.row_stride);
    }
  }}}
}
`
  const colBlocks = Math.ceil(g.cols / (4 * lanes))
  return build(g, `subgroup${rows}`, body, lanes, [Math.ceil(g.rows / rows), colBlocks, g.batch], { col_blocks: colBlocks, four: 4 }, true)
}

/**
 * Idea: 16×16 threads compute a 64×64 tile, 4×4 values each, from operand tiles of depth 16 in workgroup memory. A thread
 * fills one column of the right tile and one depth of the left, so that where a column begins is worked out once, and rows of
 * the left tile are padded, since threads that write neighbouring depths would meet in one bank.
 */
function tiledGemm(g: Gemm): Kernel {
  const body = /* wgsl */ `${walkStruct}${g.walks}
override WG: u32;
var<workgroup> tile_a: array<array<f32, 65>, 16>;
var<workgroup> tile_b: array<array<f32, 64>, 16>;
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) t: u32) {
  let tx = t & 15u;
  let ty = t >> 4u;
  let depth = P.outer * P.inner;
  for (var r = w.x * 64u; r < P.rows; r += nw.x * 64u) {
  for (var z = w.z; z < P.batch; z += nw.z) {
  for (var block = w.y; block < P.col_blocks; block += nw.y) {
    let c = block * 64u;
    let own_col = c + (t & 63u);
    let column = place(z, min(own_col, P.cols - 1u));
    var s = array<vec4f, 4>();
    for (var k0 = 0u; k0 < depth; k0 += 16u) {
      let ka = k0 + tx;
      let a1 = ka / P.inner;
      for (var i = 0u; i < 4u; i++) {
        let ra = r + ty + 16u * i;
        var va = 0.0;
        if (ka < depth && ra < P.rows) { va = at_a(walk_a(z, ra, a1), ka - a1 * P.inner); }
        tile_a[tx][ty + 16u * i] = va;
        let kb = k0 + (t >> 6u) + 4u * i;
        let b1 = kb / P.inner;
        var vb = 0.0;
        if (kb < depth && own_col < P.cols) { vb = at_b(walk_b(column, turn(b1)), kb - b1 * P.inner); }
        tile_b[(t >> 6u) + 4u * i][t & 63u] = vb;
      }
      workgroupBarrier();
      for (var k = 0u; k < 16u; k++) {
        let y = vec4f(tile_b[k][tx], tile_b[k][tx + 16u], tile_b[k][tx + 32u], tile_b[k][tx + 48u]);
        for (var i = 0u; i < 4u; i++) { s[i] += tile_a[k][ty + 16u * i] * y; }
      }
      workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i++) {
      for (var j = 0u; j < 4u; j++) {
        let row = r + ty + 16u * i;
        let col = c + tx + 16u * j;
        if (row < P.rows && col < P.cols) {
          let o = out_column(z, col) + row * P.row_stride;
          out[o] = Out(epilogue(s[i][j], o));
        }
      }
    }
  }}}
}
`
  const colBlocks = Math.ceil(g.cols / 64)
  return build(g, 'tiled', body, 256, [Math.ceil(g.rows / 64), colBlocks, g.batch], { col_blocks: colBlocks }, false)
}

function build(
  g: Gemm,
  variant: string,
  body: string,
  workgroup: number,
  groups: readonly [number, number, number],
  params: Readonly<Record<string, number>>,
  subgroups: boolean,
): Kernel {
  const dtype = g.problem.inputs[0]?.dtype ?? 'f32'
  const outType = g.problem.epilogue?.dtype ?? g.problem.outputs[0]?.dtype ?? 'f32'
  return assemble({
    label: `${g.label}/${dtype}/${variant}`,
    dtype,
    subgroups,
    params: { rows: g.rows, cols: g.cols, batch: g.batch, outer: g.outer, inner: g.inner, row_stride: g.rowStride, ...params, ...g.params },
    storage: [...g.storage, output(0, 'out', outType)],
    body: `alias Out = ${outType};\n${body}`,
    constants: { WG: workgroup },
    // Beyond the limit workgroups loop: a million rows of few columns are no rarity.
    workgroups: [Math.min(groups[0], maxWorkgroups), Math.min(groups[1], maxWorkgroups), Math.min(groups[2], maxWorkgroups)],
    epilogue: g.problem.epilogue,
  })
}
