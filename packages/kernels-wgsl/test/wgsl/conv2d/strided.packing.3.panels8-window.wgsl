// conv2d/f32/panels8/window: 1 × 1 × 1 workgroups, WG = 4; texture 1, texture 0, output 0
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { rows: u32, cols: u32, batch: u32, row_blocks: u32, col_blocks: u32, turns: u32, inner: u32, a_batch: u32, a_panel: u32, a_step: u32, a_turn: u32, radix1: u32, radix0: u32, inverse1: f32, inverse0: f32, b_offset: u32, b_batch: u32, b2: u32, b1: u32, b0: u32, turn_radix: u32, turn1: u32, turn0: u32, b_step: u32, height: u32, width: u32, y_offset: u32, x_offset: u32, y_step: u32, x_step: u32, y_turn: u32, x_turn: u32, zero: u32, o_offset: u32, o_batch: u32, o2: u32, o1: u32, o0: u32, o_row: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var a: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var b: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;
fn at(i: u32) -> vec2u { return vec2u(i % 1024u, i / 1024u); }

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
fn place_b(z: u32, d: vec3u) -> u32 { return P.b_offset + z * P.b_batch + d.x * P.b2 + d.y * P.b1 + d.z * P.b0; }
fn place_o(z: u32, d: vec3u) -> u32 { return P.o_offset + z * P.o_batch + d.x * P.o2 + d.y * P.o1 + d.z * P.o0; }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var z = w.z; z < P.batch; z += nw.z) {
  for (var block = w.y; block < P.col_blocks; block += nw.y) {
  for (var r = w.x; r < P.row_blocks; r += nw.x) {
    let col = (block * WG + lane) * 4u;
    var start_a = z * P.a_batch + r * 2u * P.a_panel + lane;
    var s0 = vec4f();
var s1 = vec4f();
var s2 = vec4f();
var s3 = vec4f();
var s4 = vec4f();
var s5 = vec4f();
var s6 = vec4f();
var s7 = vec4f();
    let d0 = digits(min(col + 0u, P.cols - 1u));
let d1 = digits(min(col + 1u, P.cols - 1u));
let d2 = digits(min(col + 2u, P.cols - 1u));
let d3 = digits(min(col + 3u, P.cols - 1u));
    let place = vec4u(place_b(z, d0), place_b(z, d1), place_b(z, d2), place_b(z, d3));
    let y = P.y_offset + P.y_step * vec4u(d0.y, d1.y, d2.y, d3.y); let x = P.x_offset + P.x_step * vec4u(d0.z, d1.z, d2.z, d3.z);
    for (var t1 = 0u; t1 < P.turns; t1++) { for (var t0 = 0u; t0 < P.turn_radix; t0++) {
      var at_b = place + t1 * P.turn1 + t0 * P.turn0;
      let inside = (y + t1 * P.y_turn < vec4u(P.height)) & (x + t0 * P.x_turn < vec4u(P.width));
      at_b = select(vec4u(P.zero), at_b, inside);
      let b_step = select(vec4u(), vec4u(P.b_step), inside);
      var at_a = start_a;
      for (var k2 = 0u; k2 < P.inner; k2++) {
        let a0 = textureLoad(a, at(at_a + 0u * P.a_panel));
let a1 = textureLoad(a, at(at_a + 1u * P.a_panel));
        let b0 = textureLoad(b, at(at_b[0]));
let b1 = textureLoad(b, at(at_b[1]));
let b2 = textureLoad(b, at(at_b[2]));
let b3 = textureLoad(b, at(at_b[3]));
        let e0 = subgroupBroadcast(a0, 0u); s0 += vec4f(((e0.x * b0.x + e0.y * b0.y) + e0.z * b0.z) + e0.w * b0.w, ((e0.x * b1.x + e0.y * b1.y) + e0.z * b1.z) + e0.w * b1.w, ((e0.x * b2.x + e0.y * b2.y) + e0.z * b2.z) + e0.w * b2.w, ((e0.x * b3.x + e0.y * b3.y) + e0.z * b3.z) + e0.w * b3.w);
let e1 = subgroupBroadcast(a0, 1u); s1 += vec4f(((e1.x * b0.x + e1.y * b0.y) + e1.z * b0.z) + e1.w * b0.w, ((e1.x * b1.x + e1.y * b1.y) + e1.z * b1.z) + e1.w * b1.w, ((e1.x * b2.x + e1.y * b2.y) + e1.z * b2.z) + e1.w * b2.w, ((e1.x * b3.x + e1.y * b3.y) + e1.z * b3.z) + e1.w * b3.w);
let e2 = subgroupBroadcast(a0, 2u); s2 += vec4f(((e2.x * b0.x + e2.y * b0.y) + e2.z * b0.z) + e2.w * b0.w, ((e2.x * b1.x + e2.y * b1.y) + e2.z * b1.z) + e2.w * b1.w, ((e2.x * b2.x + e2.y * b2.y) + e2.z * b2.z) + e2.w * b2.w, ((e2.x * b3.x + e2.y * b3.y) + e2.z * b3.z) + e2.w * b3.w);
let e3 = subgroupBroadcast(a0, 3u); s3 += vec4f(((e3.x * b0.x + e3.y * b0.y) + e3.z * b0.z) + e3.w * b0.w, ((e3.x * b1.x + e3.y * b1.y) + e3.z * b1.z) + e3.w * b1.w, ((e3.x * b2.x + e3.y * b2.y) + e3.z * b2.z) + e3.w * b2.w, ((e3.x * b3.x + e3.y * b3.y) + e3.z * b3.z) + e3.w * b3.w);
let e4 = subgroupBroadcast(a1, 0u); s4 += vec4f(((e4.x * b0.x + e4.y * b0.y) + e4.z * b0.z) + e4.w * b0.w, ((e4.x * b1.x + e4.y * b1.y) + e4.z * b1.z) + e4.w * b1.w, ((e4.x * b2.x + e4.y * b2.y) + e4.z * b2.z) + e4.w * b2.w, ((e4.x * b3.x + e4.y * b3.y) + e4.z * b3.z) + e4.w * b3.w);
let e5 = subgroupBroadcast(a1, 1u); s5 += vec4f(((e5.x * b0.x + e5.y * b0.y) + e5.z * b0.z) + e5.w * b0.w, ((e5.x * b1.x + e5.y * b1.y) + e5.z * b1.z) + e5.w * b1.w, ((e5.x * b2.x + e5.y * b2.y) + e5.z * b2.z) + e5.w * b2.w, ((e5.x * b3.x + e5.y * b3.y) + e5.z * b3.z) + e5.w * b3.w);
let e6 = subgroupBroadcast(a1, 2u); s6 += vec4f(((e6.x * b0.x + e6.y * b0.y) + e6.z * b0.z) + e6.w * b0.w, ((e6.x * b1.x + e6.y * b1.y) + e6.z * b1.z) + e6.w * b1.w, ((e6.x * b2.x + e6.y * b2.y) + e6.z * b2.z) + e6.w * b2.w, ((e6.x * b3.x + e6.y * b3.y) + e6.z * b3.z) + e6.w * b3.w);
let e7 = subgroupBroadcast(a1, 3u); s7 += vec4f(((e7.x * b0.x + e7.y * b0.y) + e7.z * b0.z) + e7.w * b0.w, ((e7.x * b1.x + e7.y * b1.y) + e7.z * b1.z) + e7.w * b1.w, ((e7.x * b2.x + e7.y * b2.y) + e7.z * b2.z) + e7.w * b2.w, ((e7.x * b3.x + e7.y * b3.y) + e7.z * b3.z) + e7.w * b3.w);
        at_a += P.a_step;
        at_b += b_step;
      }
      start_a += P.a_turn;
    }}
    let first = r * 8u;
    let count = min(8u, P.rows - first);
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
