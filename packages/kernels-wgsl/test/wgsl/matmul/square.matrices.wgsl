// matmul/f16/matrices64x64: 1 × 1 × 1 workgroups, WG = 128; input 0, input 1, output 0
enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
alias Scalar = f16;
alias Acc = f32;
struct Params { rows: u32, cols: u32, batch: u32, outer: u32, inner: u32, row_stride: u32, row_blocks: u32, col_blocks: u32, parts: u32, steps: u32, all_steps: u32, round: u32, size: u32, a_batch: u32, a_row: u32, a_k: u32, b_batch: u32, b_col: u32, b_k: u32, o_batch: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4u>;
@group(0) @binding(2) var<storage, read> b: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f16>>;
fn epilogue(v: f32, i: u32) -> f32 { return v; }
alias Out = f16;

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


var<workgroup> tile: array<vec4u, 640>;
fn unstage(z: u32, part: u32, r: u32, c: u32, first: u32, lane: u32) {
  for (var i = lane; i < 128u; i += 32u) {
    put4(z, part, r + i / 8u, c + i % 8u * 4u, bitcast<vec4f>(tile[first + i / 8u * 10u + i % 8u]));
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) t: u32) {
  for (var slice = w.z; slice < P.batch * P.parts; slice += nw.z) {
  for (var row_block = w.y; row_block < P.row_blocks; row_block += nw.y) {
  for (var col_block = w.x; col_block < P.col_blocks; col_block += nw.x) {
    let r = row_block * 64u;
    let c = col_block * 64u;
    let z = slice / P.parts;
    let part = slice % P.parts;
    let subgroup = t / 32u;
    let down = subgroup / 2u * 32u;
    let across = subgroup % 2u * 32u;
    let a_line_0 = min(r + t / 32u * 8u + t / 4u % 2u * 4u + t / 8u % 4u + 0u, P.rows - 1u);
let a_line_1 = min(r + t / 32u * 8u + t / 4u % 2u * 4u + t / 8u % 4u + 32u, P.rows - 1u);
    let b_line_0 = column_base(z, min(c + t % 8u * 8u, P.cols - 8u));
    var s0 = subgroup_matrix_result<f32, 16, 16>();
var s1 = subgroup_matrix_result<f32, 16, 16>();
var s2 = subgroup_matrix_result<f32, 16, 16>();
var s3 = subgroup_matrix_result<f32, 16, 16>();
    
    var a_0 = vec4u(); var a_in_0 = false;
var a_1 = vec4u(); var a_in_1 = false;
    var b_0 = vec4u(); var b_in_0 = false;
var b_1 = vec4u(); var b_in_1 = false;
    let first = part * P.steps;
    let steps = min(P.steps, P.all_steps - first);
    var k1 = first / P.round;
    var k2 = first % P.round * 32u;
    {{
        let w = walk_a(z, a_line_0, k1);
        let k = k2 + t % 4u * 8u;
        a_in_0 = (w.x + k * w.dx < w.limit);
        a_0 = a[select(0u, w.base + k * w.step, a_in_0) / 8u];
      }
{
        let w = walk_a(z, a_line_1, k1);
        let k = k2 + t % 4u * 8u;
        a_in_1 = (w.x + k * w.dx < w.limit);
        a_1 = a[select(0u, w.base + k * w.step, a_in_1) / 8u];
      }
      }
{
      let w = walk_b(b_line_0, outer_offset(k1));{
        let k = k2 + t / 8u + 0u;
        b_in_0 = (w.x + k * w.dx < w.limit);
        b_0 = b[select(0u, w.base + k * w.step, b_in_0) / 8u];
      }
{
        let k = k2 + t / 8u + 16u;
        b_in_1 = (w.x + k * w.dx < w.limit);
        b_1 = b[select(0u, w.base + k * w.step, b_in_1) / 8u];
      }
      }
    for (var step = 0u; step < steps; step++) {
      workgroupBarrier();
      tile[(t / 32u * 8u + t / 4u % 2u * 4u + t / 8u % 4u + 0u) * 5u + (t % 4u * 8u) / 8u] = select(vec4u(), a_0, a_in_0);
tile[(t / 32u * 8u + t / 4u % 2u * 4u + t / 8u % 4u + 32u) * 5u + (t % 4u * 8u) / 8u] = select(vec4u(), a_1, a_in_1);
      tile[320u + (t / 8u + 0u) * 9u + (t % 8u * 8u) / 8u] = select(vec4u(), b_0, b_in_0);
tile[320u + (t / 8u + 16u) * 9u + (t % 8u * 8u) / 8u] = select(vec4u(), b_1, b_in_1);
      workgroupBarrier();
      k2 += 32u;
      if (k2 >= P.inner) { k2 = 0u; k1++; }
      if (step + 1u < steps) {
        {{
        let w = walk_a(z, a_line_0, k1);
        let k = k2 + t % 4u * 8u;
        a_in_0 = (w.x + k * w.dx < w.limit);
        a_0 = a[select(0u, w.base + k * w.step, a_in_0) / 8u];
      }
{
        let w = walk_a(z, a_line_1, k1);
        let k = k2 + t % 4u * 8u;
        a_in_1 = (w.x + k * w.dx < w.limit);
        a_1 = a[select(0u, w.base + k * w.step, a_in_1) / 8u];
      }
      }
{
      let w = walk_b(b_line_0, outer_offset(k1));{
        let k = k2 + t / 8u + 0u;
        b_in_0 = (w.x + k * w.dx < w.limit);
        b_0 = b[select(0u, w.base + k * w.step, b_in_0) / 8u];
      }
{
        let k = k2 + t / 8u + 16u;
        b_in_1 = (w.x + k * w.dx < w.limit);
        b_1 = b[select(0u, w.base + k * w.step, b_in_1) / 8u];
      }
      }
      }
      
      {
        let x0 = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(&tile, (down + 0u) * 5u + 0u, 5u);
let x1 = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(&tile, (down + 16u) * 5u + 0u, 5u);
        let y0 = subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(&tile, 320u + 0u + (across + 0u) / 8u, 9u);
let y1 = subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(&tile, 320u + 0u + (across + 16u) / 8u, 9u);
        s0 = subgroupMatrixMultiplyAccumulate(x0, y0, s0);
s2 = subgroupMatrixMultiplyAccumulate(x1, y0, s2);
s1 = subgroupMatrixMultiplyAccumulate(x0, y1, s1);
s3 = subgroupMatrixMultiplyAccumulate(x1, y1, s3);
      }
{
        let x0 = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(&tile, (down + 0u) * 5u + 2u, 5u);
let x1 = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(&tile, (down + 16u) * 5u + 2u, 5u);
        let y0 = subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(&tile, 320u + 144u + (across + 0u) / 8u, 9u);
let y1 = subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(&tile, 320u + 144u + (across + 16u) / 8u, 9u);
        s0 = subgroupMatrixMultiplyAccumulate(x0, y0, s0);
s2 = subgroupMatrixMultiplyAccumulate(x1, y0, s2);
s1 = subgroupMatrixMultiplyAccumulate(x0, y1, s1);
s3 = subgroupMatrixMultiplyAccumulate(x1, y1, s3);
      }
    }
    
    workgroupBarrier();
    subgroupMatrixStore<row_major>(&tile, subgroup * 160u + 0u, s0, 10u);
subgroupMatrixStore<row_major>(&tile, subgroup * 160u + 4u, s1, 10u);
    workgroupBarrier();
    unstage(z, part, r + down + 0u, c + across + 0u, subgroup * 160u, t % 32u);

    workgroupBarrier();
    subgroupMatrixStore<row_major>(&tile, subgroup * 160u + 0u, s2, 10u);
subgroupMatrixStore<row_major>(&tile, subgroup * 160u + 4u, s3, 10u);
    workgroupBarrier();
    unstage(z, part, r + down + 16u, c + across + 0u, subgroup * 160u, t % 32u);
  }}}
}
