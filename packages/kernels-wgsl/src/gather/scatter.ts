import { stridedGroups } from '../dispatch.ts'
import type { DType, Kernel, Target } from '../op.ts'
import { assemble, input as bind, output, scratch } from '../wgsl/index.ts'

/**
 * Kernels of scatterAdd, none of which writes a place twice.
 * Idea: chain the updates of each row into a list (count² cheap comparisons), then let each output element walk its row's
 * list. Where outputs are fewer than updates, each output element looks through all indices instead.
 */
export function scatterKernels(dtype: DType, rows: number, count: number, inner: number, target: Target): readonly Kernel[] {
  const wide = inner % 4 === 0
  const units = inner / (wide ? 4 : 1)
  const direct = rows * units <= count
  const lists = scratch(0, 4 * (rows + count), 'lists', 'u32')
  const groups = (n: number): [number, number, number] => [stridedGroups(Math.ceil(n / 64), target), 1, 1]
  const sum = assemble({
    label: `scatterAdd/${dtype}/${wide ? 'vec4' : 'scalar'}${direct ? '/direct' : ''}`,
    dtype,
    params: { n: rows * units, inner: units, rows, count },
    storage: [bind(0, 'updates', 'E'), direct ? bind(1, 'indices', 'u32') : lists, output(0, 'out', 'E')],
    body: /* wgsl */ `
alias E = ${wide ? 'vec4<Scalar>' : 'Scalar'};
alias S = ${wide ? 'vec4f' : 'f32'};
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.n; i += groups.x * WG) {
    let row = i / P.inner;
    let column = i % P.inner;
    var s = S();
    ${direct
      ? 'for (var u = 0u; u < P.count; u++) { if (indices[u] == row) { s += S(updates[u * P.inner + column]); } }'
      : 'for (var u = lists[row]; u < P.count; u = lists[P.rows + u]) { s += S(updates[u * P.inner + column]); }'}
    out[i] = E(s);
  }
}
`,
    constants: { WG: 64 },
    workgroups: groups(rows * units),
    epilogue: null,
  })
  if (direct) return [sum]
  const clear = assemble({
    label: 'scatterAdd/clear',
    dtype: 'u32',
    params: { rows },
    storage: [lists],
    body: /* wgsl */ `
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.rows; i += groups.x * WG) { lists[i] = 0xffffffffu; }
}
`,
    constants: { WG: 64 },
    workgroups: groups(rows),
    epilogue: null,
  })
  const link = assemble({
    label: 'scatterAdd/link',
    dtype: 'u32',
    params: { rows, count },
    storage: [bind(1, 'indices', 'u32'), lists],
    body: /* wgsl */ `
override WG: u32;
// lists[row] = first update of a row, lists[rows + u] = the one after update u; 0xffffffff ends a list
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var u = id.x; u < P.count; u += groups.x * WG) {
    let row = indices[u];
    if (row >= P.rows) { continue; }
    var first = true;
    var next = 0xffffffffu;
    for (var other = 0u; other < P.count; other++) {
      if (indices[other] == row) {
        if (other > u) { next = other; break; }
        first = first && other == u;
      }
    }
    lists[P.rows + u] = next;
    if (first) { lists[row] = u; }
  }
}
`,
    constants: { WG: 64 },
    workgroups: groups(count),
    epilogue: null,
  })
  return [clear, link, sum]
}
