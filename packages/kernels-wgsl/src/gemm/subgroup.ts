import type { Kernel } from '../op.ts'
import { pick, repeat } from '../wgsl/index.ts'
import { build, runStruct } from './build.ts'
import { type Gemm, outputType } from './problem.ts'

const elements = /* wgsl */ `
fn at_a(k: Run, k2: u32) -> Acc { let ok = k.x + k2 * k.dx < k.limit; return select(Acc(0), Acc(a[select(0u, k.base + k2 * k.step, ok)]), ok); }
fn at_b(k: Run, k2: u32) -> Acc { let ok = k.x + k2 * k.dx < k.limit; return select(Acc(0), Acc(b[select(0u, k.base + k2 * k.step, ok)]), ok); }
`

/**
 * Idea: a workgroup is one subgroup of S lanes; each lane owns 4 columns and all 2·S rows of a block, and rows reach it
 * by broadcast, so the inner loop has no barrier and 6 buffer accesses for 8·S·S multiply-adds. What llvmpipe takes for an
 * access leaves nothing to gain for a single row: other orders of its sum come within 6% (1.15 to 1.22 ms by 2048²).
 */
export function subgroupGemm(g: Gemm, lanes: number): Kernel {
  // Few rows make a text of their own, and few columns: sixteen rows would do a vector's work sixteen times over.
  const rows = [1, 4, lanes].find((n) => g.rows <= n) ?? 2 * lanes
  const cols = g.cols <= 2 * lanes ? 2 : 4
  const two = rows > lanes
  const row = (f: (i: number) => string): string => repeat(rows, f, '')
  const col = (f: (j: number) => string, between = ' '): string => repeat(cols, f, between)
  const body = /* wgsl */ `${runStruct}${elements}${g.walks}
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var r = w.x * ${rows}u; r < P.rows; r += nw.x * ${rows}u) {
  let row0 = min(r + lane, P.rows - 1u);
  ${two ? 'let row1 = min(r + lane + WG, P.rows - 1u);' : ''}
  for (var z = w.z; z < P.batch; z += nw.z) {
  for (var block = w.y; block < P.col_blocks; block += nw.y) {
    let c = block * ${cols}u * WG + lane;
    ${col((j) => `let c${j} = column_base(z, min(c + ${j}u * WG, P.cols - 1u));`)}
    ${row((i) => `var s${i} = vec${cols}f();`)}
    for (var k1 = 0u; k1 < P.outer; k1++) {
      let a0 = walk_a(z, row0, k1);
      ${two ? 'let a1 = walk_a(z, row1, k1);' : ''}
      let round = outer_offset(k1);
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
