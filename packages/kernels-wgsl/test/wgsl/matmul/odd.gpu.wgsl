// matmul/f32/tiles64: 1 × 1 × 1 workgroups, WG = 256; input 0, input 1, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { rows: u32, cols: u32, batch: u32, outer: u32, inner: u32, row_stride: u32, row_blocks: u32, col_blocks: u32, parts: u32, steps: u32, all_steps: u32, round: u32, size: u32, a_batch: u32, a_row: u32, a_k: u32, b_batch: u32, b_col: u32, b_k: u32, o_batch: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> a: array<Scalar>;
@group(0) @binding(2) var<storage, read> b: array<Scalar>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
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
  for (var j = 0u; j < 4u; j++) {
    if (row < P.rows && col + j < P.cols) {
      let o = out_column(z, col + j) + row * P.row_stride;
      out[part * P.size + o] = Out(epilogue(v[j], o));
    }
  }
}


var<workgroup> tile_a: array<vec4f, 272>;
var<workgroup> tile_b: array<vec4f, 272>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) t: u32) {
  for (var slice = w.z; slice < P.batch * P.parts; slice += nw.z) {
  for (var row_block = w.y; row_block < P.row_blocks; row_block += nw.y) {
  for (var col_block = w.x; col_block < P.col_blocks; col_block += nw.x) {
    let r = row_block * 64u;
    let c = col_block * 64u;
    let z = slice / P.parts;
    let part = slice % P.parts;
        let tx = t % 16u;
    let ty = t / 16u;
    let a_line_0 = min(r + t / 16u + 0u, P.rows - 1u);
let a_line_1 = min(r + t / 16u + 16u, P.rows - 1u);
let a_line_2 = min(r + t / 16u + 32u, P.rows - 1u);
let a_line_3 = min(r + t / 16u + 48u, P.rows - 1u);
    let b_line_0 = column_base(z, min(c + t % 64u, P.cols - 1u));
    var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
    
    var a_0 = Scalar(); var a_in_0 = false;
var a_1 = Scalar(); var a_in_1 = false;
var a_2 = Scalar(); var a_in_2 = false;
var a_3 = Scalar(); var a_in_3 = false;
    var b_0 = Scalar(); var b_in_0 = false;
var b_1 = Scalar(); var b_in_1 = false;
var b_2 = Scalar(); var b_in_2 = false;
var b_3 = Scalar(); var b_in_3 = false;
    let first = part * P.steps;
    let steps = min(P.steps, P.all_steps - first);
    var k1 = first / P.round;
    var k2 = first % P.round * 16u;
    {{
        let w = walk_a(z, a_line_0, k1);
        let k = k2 + t % 16u;
        a_in_0 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        a_0 = a[select(0u, w.base + k * w.step, a_in_0)];
      }
{
        let w = walk_a(z, a_line_1, k1);
        let k = k2 + t % 16u;
        a_in_1 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        a_1 = a[select(0u, w.base + k * w.step, a_in_1)];
      }
{
        let w = walk_a(z, a_line_2, k1);
        let k = k2 + t % 16u;
        a_in_2 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        a_2 = a[select(0u, w.base + k * w.step, a_in_2)];
      }
{
        let w = walk_a(z, a_line_3, k1);
        let k = k2 + t % 16u;
        a_in_3 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        a_3 = a[select(0u, w.base + k * w.step, a_in_3)];
      }
      }
{
      let w = walk_b(b_line_0, outer_offset(k1));{
        let k = k2 + t / 64u + 0u;
        b_in_0 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        b_0 = b[select(0u, w.base + k * w.step, b_in_0)];
      }
{
        let k = k2 + t / 64u + 4u;
        b_in_1 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        b_1 = b[select(0u, w.base + k * w.step, b_in_1)];
      }
{
        let k = k2 + t / 64u + 8u;
        b_in_2 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        b_2 = b[select(0u, w.base + k * w.step, b_in_2)];
      }
{
        let k = k2 + t / 64u + 12u;
        b_in_3 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        b_3 = b[select(0u, w.base + k * w.step, b_in_3)];
      }
      }
    for (var step = 0u; step < steps; step++) {
      workgroupBarrier();
      tile_a[(t % 16u) * 17u + (t / 16u + 0u) / 4u][(t / 16u + 0u) % 4u] = Acc(select(Scalar(), a_0, a_in_0));
tile_a[(t % 16u) * 17u + (t / 16u + 16u) / 4u][(t / 16u + 16u) % 4u] = Acc(select(Scalar(), a_1, a_in_1));
tile_a[(t % 16u) * 17u + (t / 16u + 32u) / 4u][(t / 16u + 32u) % 4u] = Acc(select(Scalar(), a_2, a_in_2));
tile_a[(t % 16u) * 17u + (t / 16u + 48u) / 4u][(t / 16u + 48u) % 4u] = Acc(select(Scalar(), a_3, a_in_3));
      tile_b[(t / 64u + 0u) * 17u + (t % 64u) / 4u][(t % 64u) % 4u] = Acc(select(Scalar(), b_0, b_in_0));
tile_b[(t / 64u + 4u) * 17u + (t % 64u) / 4u][(t % 64u) % 4u] = Acc(select(Scalar(), b_1, b_in_1));
tile_b[(t / 64u + 8u) * 17u + (t % 64u) / 4u][(t % 64u) % 4u] = Acc(select(Scalar(), b_2, b_in_2));
tile_b[(t / 64u + 12u) * 17u + (t % 64u) / 4u][(t % 64u) % 4u] = Acc(select(Scalar(), b_3, b_in_3));
      workgroupBarrier();
      k2 += 16u;
      if (k2 >= P.inner) { k2 = 0u; k1++; }
      if (step + 1u < steps) {
        {{
        let w = walk_a(z, a_line_0, k1);
        let k = k2 + t % 16u;
        a_in_0 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        a_0 = a[select(0u, w.base + k * w.step, a_in_0)];
      }
{
        let w = walk_a(z, a_line_1, k1);
        let k = k2 + t % 16u;
        a_in_1 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        a_1 = a[select(0u, w.base + k * w.step, a_in_1)];
      }
{
        let w = walk_a(z, a_line_2, k1);
        let k = k2 + t % 16u;
        a_in_2 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        a_2 = a[select(0u, w.base + k * w.step, a_in_2)];
      }
{
        let w = walk_a(z, a_line_3, k1);
        let k = k2 + t % 16u;
        a_in_3 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        a_3 = a[select(0u, w.base + k * w.step, a_in_3)];
      }
      }
{
      let w = walk_b(b_line_0, outer_offset(k1));{
        let k = k2 + t / 64u + 0u;
        b_in_0 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        b_0 = b[select(0u, w.base + k * w.step, b_in_0)];
      }
{
        let k = k2 + t / 64u + 4u;
        b_in_1 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        b_1 = b[select(0u, w.base + k * w.step, b_in_1)];
      }
{
        let k = k2 + t / 64u + 8u;
        b_in_2 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        b_2 = b[select(0u, w.base + k * w.step, b_in_2)];
      }
{
        let k = k2 + t / 64u + 12u;
        b_in_3 = (k < P.inner) & (w.x + k * w.dx < w.limit);
        b_3 = b[select(0u, w.base + k * w.step, b_in_3)];
      }
      }
      }
      
      for (var k = 0u; k < 16u; k++) {
        {
        let x0 = tile_a[k * 17u + 0u + ty + 0u]; let y0 = tile_b[k * 17u + 0u + tx + 0u];
        s0 += x0.x * y0;
s1 += x0.y * y0;
s2 += x0.z * y0;
s3 += x0.w * y0;
        }
      }
    }
    for (var i = 0u; i < 4u; i++) {
      var s = vec4f();
      switch (i) { case 0u: { s = s0; } case 1u: { s = s1; } case 2u: { s = s2; } default: { s = s3; } }
      let row = r + ty * 4u + i;
      let col = c + tx * 4u;
      put4(z, part, row, col, s);
    }
  }}}
}
