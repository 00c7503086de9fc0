// matmul/f32/subgroup1: 1 × 4 × 1 workgroups, WG = 4; input 0, input 1, output 0
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { rows: u32, cols: u32, batch: u32, outer: u32, inner: u32, row_stride: u32, col_blocks: u32, each: u32, a_batch: u32, a_row: u32, a_k: u32, b_batch: u32, b_col: u32, b_k: u32, o_batch: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> a: array<Scalar>;
@group(0) @binding(2) var<storage, read> b: array<Scalar>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
fn epilogue(v: f32, i: u32) -> f32 { return v; }
alias Out = f32;

struct Run { base: u32, step: u32, x: u32, dx: u32, limit: u32 }
fn inside(base: u32, step: u32) -> Run { return Run(base, step, 0u, 0u, 1u); }

fn at_a(k: Run, k2: u32) -> Acc { let ok = k.x + k2 * k.dx < k.limit; return select(Acc(0), Acc(a[select(0u, k.base + k2 * k.step, ok)]), ok); }
fn at_b(k: Run, k2: u32) -> Acc { let ok = k.x + k2 * k.dx < k.limit; return select(Acc(0), Acc(b[select(0u, k.base + k2 * k.step, ok)]), ok); }

fn walk_a(z: u32, row: u32, k1: u32) -> Run { return inside(z * P.a_batch + row * P.a_row, P.a_k); }
fn column_base(z: u32, col: u32) -> vec3u { return vec3u(z * P.b_batch + col * P.b_col, 0u, 0u); }
fn outer_offset(k1: u32) -> vec3u { return vec3u(); }
fn walk_b(p: vec3u, t: vec3u) -> Run { return inside(p.x, P.b_k); }
fn out_column(z: u32, col: u32) -> u32 { return z * P.o_batch + col; }

override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var r = w.x * 1u; r < P.rows; r += nw.x * 1u) {
  let row0 = min(r + lane, P.rows - 1u);
  
  for (var z = w.z; z < P.batch; z += nw.z) {
  for (var block = w.y; block < P.col_blocks; block += nw.y) {
    let c = block * 4u * WG + lane;
    let c0 = column_base(z, min(c + 0u * WG, P.cols - 1u)); let c1 = column_base(z, min(c + 1u * WG, P.cols - 1u)); let c2 = column_base(z, min(c + 2u * WG, P.cols - 1u)); let c3 = column_base(z, min(c + 3u * WG, P.cols - 1u));
    var s0 = vec4f();
    for (var k1 = 0u; k1 < P.outer; k1++) {
      let a0 = walk_a(z, row0, k1);
      
      let round = outer_offset(k1);
      let b0 = walk_b(c0, round); let b1 = walk_b(c1, round); let b2 = walk_b(c2, round); let b3 = walk_b(c3, round);
      for (var k2 = 0u; k2 < P.inner; k2++) {
        let x0 = at_a(a0, k2);
        
        let y = vec4f(at_b(b0, k2), at_b(b1, k2), at_b(b2, k2), at_b(b3, k2));
        s0 += subgroupBroadcast(x0, 0u) * y;
      }
    }
    let cols = vec4u(c + 0u * WG, c + 1u * WG, c + 2u * WG, c + 3u * WG);
    var o = vec4u(out_column(z, cols[0]), out_column(z, cols[1]), out_column(z, cols[2]), out_column(z, cols[3])) + r * P.row_stride;
    let count = min(1u, P.rows - r);
    for (var i = 0u; i < count; i++) {
      var s = vec4f();
      switch (i) {  default: { s = s0; } }
      for (var j = 0u; j < P.each; j++) {
        if (cols[j] < P.cols) { out[o[j]] = Out(epilogue(s[j], o[j])); }
      }
      o += vec4u(P.row_stride);
    }
  }}}
}
