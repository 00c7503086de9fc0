// matmul/f32/tiles128: 1 × 1 × 1 workgroups, WG = 256; input 0, input 1, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { rows: u32, cols: u32, batch: u32, outer: u32, inner: u32, row_stride: u32, row_blocks: u32, col_blocks: u32, parts: u32, steps: u32, all_steps: u32, round: u32, size: u32, a_batch: u32, a_row: u32, a_k: u32, b_batch: u32, b_col: u32, b_k: u32, o_batch: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<Scalar>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<Scalar>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;
fn epilogue(v: f32, i: u32) -> f32 { return v; }
alias Out = f32;

struct Run { base: u32, step: u32, x: u32, dx: u32, limit: u32 }
fn inside(base: u32, step: u32) -> Run { return Run(base, step, 0u, 0u, 1u); }

fn walk_a(z: u32, row: u32, k1: u32) -> Run { return inside(z * P.a_batch + row * P.a_row, P.a_k); }
fn column_base(z: u32, col: u32) -> vec3u { return vec3u(z * P.b_batch + col * P.b_col, 0u, 0u); }
fn outer_offset(k1: u32) -> vec3u { return vec3u(); }
fn walk_b(p: vec3u, t: vec3u) -> Run { return inside(p.x, P.b_k); }
fn out_column(z: u32, col: u32) -> u32 { return z * P.o_batch + col; }

override WG: u32;

fn put4(z: u32, part: u32, row: u32, col: u32, v: vec4f) {
  if (row >= P.rows || col >= P.cols) { return; }
  let o = out_column(z, col) + row * P.row_stride;
  out[(part * P.size + o) / 4u] = vec4<Out>(vec4f(epilogue(v.x, o), epilogue(v.y, o + 1u), epilogue(v.z, o + 2u), epilogue(v.w, o + 3u)));
}


var<workgroup> tile_a: array<vec4f, 528>;
var<workgroup> tile_b: array<vec4f, 528>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) t: u32) {
  for (var slice = w.z; slice < P.batch * P.parts; slice += nw.z) {
  for (var row_block = w.y; row_block < P.row_blocks; row_block += nw.y) {
  for (var col_block = w.x; col_block < P.col_blocks; col_block += nw.x) {
    let r = row_block * 128u;
    let c = col_block * 128u;
    let z = slice / P.parts;
    let part = slice % P.parts;
        let tx = t % 16u;
    let ty = t / 16u;
    let a_line_0 = min(r + t / 4u + 0u, P.rows - 1u);
let a_line_1 = min(r + t / 4u + 64u, P.rows - 1u);
    let b_line_0 = column_base(z, min(c + t % 32u * 4u, P.cols - 4u));
    var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f(); var s4 = vec4f(); var s5 = vec4f(); var s6 = vec4f(); var s7 = vec4f(); var s8 = vec4f(); var s9 = vec4f(); var s10 = vec4f(); var s11 = vec4f(); var s12 = vec4f(); var s13 = vec4f(); var s14 = vec4f(); var s15 = vec4f();
    
    var a_0 = vec4<Scalar>(); var a_in_0 = false;
var a_1 = vec4<Scalar>(); var a_in_1 = false;
    var b_0 = vec4<Scalar>(); var b_in_0 = false;
var b_1 = vec4<Scalar>(); var b_in_1 = false;
    let first = part * P.steps;
    let steps = min(P.steps, P.all_steps - first);
    var k1 = first / P.round;
    var k2 = first % P.round * 16u;
    {{
        let w = walk_a(z, a_line_0, k1);
        let k = k2 + t % 4u * 4u;
        a_in_0 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        a_0 = a[select(0u, w.base + k * w.step, a_in_0) / 4u];
      }
{
        let w = walk_a(z, a_line_1, k1);
        let k = k2 + t % 4u * 4u;
        a_in_1 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        a_1 = a[select(0u, w.base + k * w.step, a_in_1) / 4u];
      }
      }
{
      let w = walk_b(b_line_0, outer_offset(k1));{
        let k = k2 + t / 32u + 0u;
        b_in_0 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        b_0 = b[select(0u, w.base + k * w.step, b_in_0) / 4u];
      }
{
        let k = k2 + t / 32u + 8u;
        b_in_1 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        b_1 = b[select(0u, w.base + k * w.step, b_in_1) / 4u];
      }
      }
    for (var step = 0u; step < steps; step++) {
      workgroupBarrier();
      { let v = vec4f(select(vec4<Scalar>(), a_0, a_in_0)); tile_a[(t % 4u * 4u + 0u) * 33u + (t / 4u + 0u) / 4u][(t / 4u + 0u) % 4u] = v[0]; tile_a[(t % 4u * 4u + 1u) * 33u + (t / 4u + 0u) / 4u][(t / 4u + 0u) % 4u] = v[1]; tile_a[(t % 4u * 4u + 2u) * 33u + (t / 4u + 0u) / 4u][(t / 4u + 0u) % 4u] = v[2]; tile_a[(t % 4u * 4u + 3u) * 33u + (t / 4u + 0u) / 4u][(t / 4u + 0u) % 4u] = v[3]; }
{ let v = vec4f(select(vec4<Scalar>(), a_1, a_in_1)); tile_a[(t % 4u * 4u + 0u) * 33u + (t / 4u + 64u) / 4u][(t / 4u + 64u) % 4u] = v[0]; tile_a[(t % 4u * 4u + 1u) * 33u + (t / 4u + 64u) / 4u][(t / 4u + 64u) % 4u] = v[1]; tile_a[(t % 4u * 4u + 2u) * 33u + (t / 4u + 64u) / 4u][(t / 4u + 64u) % 4u] = v[2]; tile_a[(t % 4u * 4u + 3u) * 33u + (t / 4u + 64u) / 4u][(t / 4u + 64u) % 4u] = v[3]; }
      tile_b[(t / 32u + 0u) * 33u + (t % 32u * 4u) / 4u] = vec4f(select(vec4<Scalar>(), b_0, b_in_0));
tile_b[(t / 32u + 8u) * 33u + (t % 32u * 4u) / 4u] = vec4f(select(vec4<Scalar>(), b_1, b_in_1));
      workgroupBarrier();
      k2 += 16u;
      if (k2 >= P.inner) { k2 = 0u; k1++; }
      if (step + 1u < steps) {
        {{
        let w = walk_a(z, a_line_0, k1);
        let k = k2 + t % 4u * 4u;
        a_in_0 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        a_0 = a[select(0u, w.base + k * w.step, a_in_0) / 4u];
      }
{
        let w = walk_a(z, a_line_1, k1);
        let k = k2 + t % 4u * 4u;
        a_in_1 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        a_1 = a[select(0u, w.base + k * w.step, a_in_1) / 4u];
      }
      }
{
      let w = walk_b(b_line_0, outer_offset(k1));{
        let k = k2 + t / 32u + 0u;
        b_in_0 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        b_0 = b[select(0u, w.base + k * w.step, b_in_0) / 4u];
      }
{
        let k = k2 + t / 32u + 8u;
        b_in_1 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        b_1 = b[select(0u, w.base + k * w.step, b_in_1) / 4u];
      }
      }
      }
      
      for (var k = 0u; k < 16u; k++) {
        {
        let x0 = tile_a[k * 33u + 0u + ty + 0u]; let y0 = tile_b[k * 33u + 0u + tx + 0u];
let x1 = tile_a[k * 33u + 0u + ty + 16u]; let y1 = tile_b[k * 33u + 0u + tx + 16u];
        s0 += x0.x * y0; s1 += x0.x * y1;
s2 += x0.y * y0; s3 += x0.y * y1;
s4 += x0.z * y0; s5 += x0.z * y1;
s6 += x0.w * y0; s7 += x0.w * y1;
s8 += x1.x * y0; s9 += x1.x * y1;
s10 += x1.y * y0; s11 += x1.y * y1;
s12 += x1.z * y0; s13 += x1.z * y1;
s14 += x1.w * y0; s15 += x1.w * y1;
        }
      }
    }
    for (var i = 0u; i < 16u; i++) {
      var s = vec4f();
      switch (i) { case 0u: { s = s0; } case 1u: { s = s1; } case 2u: { s = s2; } case 3u: { s = s3; } case 4u: { s = s4; } case 5u: { s = s5; } case 6u: { s = s6; } case 7u: { s = s7; } case 8u: { s = s8; } case 9u: { s = s9; } case 10u: { s = s10; } case 11u: { s = s11; } case 12u: { s = s12; } case 13u: { s = s13; } case 14u: { s = s14; } default: { s = s15; } }
      let row = r + i / 8u * 64u + ty * 4u + i / 2u % 4u;
      let col = c + i % 2u * 64u + tx * 4u;
      put4(z, part, row, col, s);
    }
  }}}
}
