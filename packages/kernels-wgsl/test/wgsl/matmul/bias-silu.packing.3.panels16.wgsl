// matmul/f32/panels16+add(v,i0);silu(s0)/2/s/f32>f32: 4 × 4 × 1 workgroups, WG = 4; texture 0, texture 1, output 0, extra 0
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { rows: u32, cols: u32, batch: u32, row_blocks: u32, col_blocks: u32, turns: u32, inner: u32, a_batch: u32, a_panel: u32, a_step: u32, a_turn: u32, radix1: u32, radix0: u32, inverse1: f32, inverse0: f32, b_offset: u32, b_batch: u32, b2: u32, b1: u32, b0: u32, turn_radix: u32, turn1: u32, turn0: u32, b_step: u32, o_offset: u32, o_batch: u32, o2: u32, o1: u32, o0: u32, o_row: u32, x0__offset: u32, x0__batch: u32, x0_2: u32, x0_1: u32, x0_0: u32, x0_row: u32, w: array<vec4u, 1>, s: array<vec4u, 1> }
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
@group(0) @binding(4) var<storage, read> extra0: array<vec4<f32>>;
alias V = vec4f; alias VI = vec4i; alias VU = vec4u; alias VB = vec4<bool>;
fn epilogue(v: vec4f, i0: u32) -> vec4f {
  let x0 = V(extra0[i0]);
  let t0 = (v + x0);
  let t1 = (t0 / (V(1) + exp(-t0)));
  return t1;
}

override WG: u32;
fn over(i: u32, d: u32, inverse: f32) -> u32 { return quotient(i, d, inverse); }
fn digits(col: u32) -> vec3u {
  let c = over(col, P.radix0, P.inverse0);
  let b = over(c, P.radix1, P.inverse1);
  return vec3u(b, c - b * P.radix1, col - c * P.radix0);
}
fn place_b(z: u32, d: vec3u) -> u32 { return P.b_offset + z * P.b_batch + d.x * P.b2 + d.y * P.b1 + d.z * P.b0; }
fn place_o(z: u32, d: vec3u) -> u32 { return P.o_offset + z * P.o_batch + d.x * P.o2 + d.y * P.o1 + d.z * P.o0; }
fn place_x0_(z: u32, d: vec3u) -> u32 { return P.x0__offset + z * P.x0__batch + d.x * P.x0_2 + d.y * P.x0_1 + d.z * P.x0_0; }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var z = w.z; z < P.batch; z += nw.z) {
  for (var block = w.y; block < P.col_blocks; block += nw.y) {
  for (var r = w.x; r < P.row_blocks; r += nw.x) {
    let col = (block * WG + lane) * 4u;
    var start_a = z * P.a_batch + r * 4u * P.a_panel + lane;
    var s0 = vec4f();
var s1 = vec4f();
var s2 = vec4f();
var s3 = vec4f();
var s4 = vec4f();
var s5 = vec4f();
var s6 = vec4f();
var s7 = vec4f();
var s8 = vec4f();
var s9 = vec4f();
var s10 = vec4f();
var s11 = vec4f();
var s12 = vec4f();
var s13 = vec4f();
var s14 = vec4f();
var s15 = vec4f();
    let d0 = digits(min(col + 0u, P.cols - 1u));
let d1 = digits(min(col + 1u, P.cols - 1u));
let d2 = digits(min(col + 2u, P.cols - 1u));
let d3 = digits(min(col + 3u, P.cols - 1u));
    let place = vec4u(place_b(z, d0), place_b(z, d1), place_b(z, d2), place_b(z, d3));
    
    for (var t1 = 0u; t1 < P.turns; t1++) { for (var t0 = 0u; t0 < P.turn_radix; t0++) {
      var at_b = place + t1 * P.turn1 + t0 * P.turn0;
      let b_step = P.b_step;
      var at_a = start_a;
      for (var k2 = 0u; k2 < P.inner; k2++) {
        let a0 = textureLoad(a, at(at_a + 0u * P.a_panel));
let a1 = textureLoad(a, at(at_a + 1u * P.a_panel));
let a2 = textureLoad(a, at(at_a + 2u * P.a_panel));
let a3 = textureLoad(a, at(at_a + 3u * P.a_panel));
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
let e8 = subgroupBroadcast(a2, 0u); s8 += vec4f(((e8.x * b0.x + e8.y * b0.y) + e8.z * b0.z) + e8.w * b0.w, ((e8.x * b1.x + e8.y * b1.y) + e8.z * b1.z) + e8.w * b1.w, ((e8.x * b2.x + e8.y * b2.y) + e8.z * b2.z) + e8.w * b2.w, ((e8.x * b3.x + e8.y * b3.y) + e8.z * b3.z) + e8.w * b3.w);
let e9 = subgroupBroadcast(a2, 1u); s9 += vec4f(((e9.x * b0.x + e9.y * b0.y) + e9.z * b0.z) + e9.w * b0.w, ((e9.x * b1.x + e9.y * b1.y) + e9.z * b1.z) + e9.w * b1.w, ((e9.x * b2.x + e9.y * b2.y) + e9.z * b2.z) + e9.w * b2.w, ((e9.x * b3.x + e9.y * b3.y) + e9.z * b3.z) + e9.w * b3.w);
let e10 = subgroupBroadcast(a2, 2u); s10 += vec4f(((e10.x * b0.x + e10.y * b0.y) + e10.z * b0.z) + e10.w * b0.w, ((e10.x * b1.x + e10.y * b1.y) + e10.z * b1.z) + e10.w * b1.w, ((e10.x * b2.x + e10.y * b2.y) + e10.z * b2.z) + e10.w * b2.w, ((e10.x * b3.x + e10.y * b3.y) + e10.z * b3.z) + e10.w * b3.w);
let e11 = subgroupBroadcast(a2, 3u); s11 += vec4f(((e11.x * b0.x + e11.y * b0.y) + e11.z * b0.z) + e11.w * b0.w, ((e11.x * b1.x + e11.y * b1.y) + e11.z * b1.z) + e11.w * b1.w, ((e11.x * b2.x + e11.y * b2.y) + e11.z * b2.z) + e11.w * b2.w, ((e11.x * b3.x + e11.y * b3.y) + e11.z * b3.z) + e11.w * b3.w);
let e12 = subgroupBroadcast(a3, 0u); s12 += vec4f(((e12.x * b0.x + e12.y * b0.y) + e12.z * b0.z) + e12.w * b0.w, ((e12.x * b1.x + e12.y * b1.y) + e12.z * b1.z) + e12.w * b1.w, ((e12.x * b2.x + e12.y * b2.y) + e12.z * b2.z) + e12.w * b2.w, ((e12.x * b3.x + e12.y * b3.y) + e12.z * b3.z) + e12.w * b3.w);
let e13 = subgroupBroadcast(a3, 1u); s13 += vec4f(((e13.x * b0.x + e13.y * b0.y) + e13.z * b0.z) + e13.w * b0.w, ((e13.x * b1.x + e13.y * b1.y) + e13.z * b1.z) + e13.w * b1.w, ((e13.x * b2.x + e13.y * b2.y) + e13.z * b2.z) + e13.w * b2.w, ((e13.x * b3.x + e13.y * b3.y) + e13.z * b3.z) + e13.w * b3.w);
let e14 = subgroupBroadcast(a3, 2u); s14 += vec4f(((e14.x * b0.x + e14.y * b0.y) + e14.z * b0.z) + e14.w * b0.w, ((e14.x * b1.x + e14.y * b1.y) + e14.z * b1.z) + e14.w * b1.w, ((e14.x * b2.x + e14.y * b2.y) + e14.z * b2.z) + e14.w * b2.w, ((e14.x * b3.x + e14.y * b3.y) + e14.z * b3.z) + e14.w * b3.w);
let e15 = subgroupBroadcast(a3, 3u); s15 += vec4f(((e15.x * b0.x + e15.y * b0.y) + e15.z * b0.z) + e15.w * b0.w, ((e15.x * b1.x + e15.y * b1.y) + e15.z * b1.z) + e15.w * b1.w, ((e15.x * b2.x + e15.y * b2.y) + e15.z * b2.z) + e15.w * b2.w, ((e15.x * b3.x + e15.y * b3.y) + e15.z * b3.z) + e15.w * b3.w);
        at_a += P.a_step;
        at_b += b_step;
      }
      start_a += P.a_turn;
    }}
    let first = r * 16u;
    let count = min(16u, P.rows - first);
    let d = digits(col);
    var o = (place_o(z, d) + first * P.o_row) / 4u;
    var x0_ = place_x0_(z, d) / 4u + first * P.x0_row;
    for (var i = 0u; i < count; i++) {
      var s = vec4f();
      switch (i) { case 0u: { s = s0; } case 1u: { s = s1; } case 2u: { s = s2; } case 3u: { s = s3; } case 4u: { s = s4; } case 5u: { s = s5; } case 6u: { s = s6; } case 7u: { s = s7; } case 8u: { s = s8; } case 9u: { s = s9; } case 10u: { s = s10; } case 11u: { s = s11; } case 12u: { s = s12; } case 13u: { s = s13; } case 14u: { s = s14; } default: { s = s15; } }
      if (col < P.cols) { out[o] = vec4<Scalar>(epilogue(s, x0_)); }
      o += P.o_row / 4u;
      x0_ += P.x0_row;
    }
  }}}
}
