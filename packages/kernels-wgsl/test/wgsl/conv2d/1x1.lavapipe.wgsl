// conv2d/f32/pixels8: 1 × 4 × 1 workgroups, WG = 8; input 1, input 0, output 0
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { rows: u32, cols: u32, batch: u32, row_blocks: u32, col_blocks: u32, depth: u32, w_batch: u32, w_row: u32, w_step: u32, x_image: u32, x_step: u32, width: u32, radix1: u32, radix0: u32, inverse1: f32, inverse0: f32, o_offset: u32, o_batch: u32, o2: u32, o1: u32, o0: u32, o_row: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> w: array<Scalar>;
@group(0) @binding(2) var<storage, read> x: array<vec4<Scalar>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}
fn epilogue(v: f32, i: u32) -> f32 { return v; }

override WG: u32;
fn over(i: u32, d: u32, inverse: f32) -> u32 { return quotient(i, d, inverse); }
fn digits(col: u32) -> vec3u {
  let c = over(col, P.radix0, P.inverse0);
  let b = over(c, P.radix1, P.inverse1);
  return vec3u(b, c - b * P.radix1, col - c * P.radix0);
}
fn place_o(z: u32, d: vec3u) -> u32 { return P.o_offset + z * P.o_batch + d.x * P.o2 + d.y * P.o1 + d.z * P.o0; }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var z = group.z; z < P.batch; z += groups.z) {
  for (var r = group.x; r < P.row_blocks; r += groups.x) {
  let first = r * 8u;
  let count = min(8u, P.rows - first);
  for (var block = group.y; block < P.col_blocks; block += groups.y) {
    let col = (block * WG + lane) * 4u;
    let pixel = digits(min(col, P.cols - 4u));
    var at_x = pixel.x * P.x_image + z * P.depth * P.x_step + (pixel.y * P.width + pixel.z) / 4u;
    var at_w0 = z * P.w_batch + min(first + lane + 0u * WG, P.rows - 1u) * P.w_row;
    var s0 = vec4f();
var s1 = vec4f();
var s2 = vec4f();
var s3 = vec4f();
var s4 = vec4f();
var s5 = vec4f();
var s6 = vec4f();
var s7 = vec4f();
    for (var k = 0u; k < P.depth; k++) {
      let pixels = vec4f(x[at_x]);
      let w0 = Acc(w[at_w0]); at_w0 += P.w_step;
      s0 += subgroupBroadcast(w0, 0u) * pixels;
s1 += subgroupBroadcast(w0, 1u) * pixels;
s2 += subgroupBroadcast(w0, 2u) * pixels;
s3 += subgroupBroadcast(w0, 3u) * pixels;
s4 += subgroupBroadcast(w0, 4u) * pixels;
s5 += subgroupBroadcast(w0, 5u) * pixels;
s6 += subgroupBroadcast(w0, 6u) * pixels;
s7 += subgroupBroadcast(w0, 7u) * pixels;
      at_x += P.x_step;
    }
    let d = digits(col);
    var o = (place_o(z, d) + first * P.o_row) / 4u;
    
    for (var i = 0u; i < count; i++) {
      var s = vec4f();
      switch (i) { case 0u: { s = s0; } case 1u: { s = s1; } case 2u: { s = s2; } case 3u: { s = s3; } case 4u: { s = s4; } case 5u: { s = s5; } case 6u: { s = s6; } default: { s = s7; } }
      if (col < P.cols) { out[o] = vec4<Scalar>(s); }
      o += P.o_row / 4u;
      
    }
  }}}
}
