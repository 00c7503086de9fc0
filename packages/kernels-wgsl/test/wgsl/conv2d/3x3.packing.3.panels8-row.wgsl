// conv2d/f32/panels8/row: 1 × 4 × 1 workgroups, WG = 4; texture 1, texture 0, output 0
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
    let d0 = digits(min(col, P.cols - 4u));
    let y = P.y_offset + P.y_step * d0.y;
    let x = P.x_offset + d0.z;
    let within0 = x + 0u < P.width;
let within1 = x + 1u < P.width;
let within2 = x + 2u < P.width;
let within3 = x + 3u < P.width;
let within4 = x + 4u < P.width;
let within5 = x + 5u < P.width;
    for (var t1 = 0u; t1 < P.turns; t1++) {
      let within = y + t1 * P.y_turn < P.height;
      var at_b = place_b(z, d0) + t1 * P.turn1;
      var at_a = start_a;
      for (var k2 = 0u; k2 < P.inner; k2++) {
        let a0_0 = textureLoad(a, at(at_a + 0u * P.a_turn + 0u * P.a_panel));
let a1_0 = textureLoad(a, at(at_a + 0u * P.a_turn + 1u * P.a_panel));
let a0_1 = textureLoad(a, at(at_a + 1u * P.a_turn + 0u * P.a_panel));
let a1_1 = textureLoad(a, at(at_a + 1u * P.a_turn + 1u * P.a_panel));
let a0_2 = textureLoad(a, at(at_a + 2u * P.a_turn + 0u * P.a_panel));
let a1_2 = textureLoad(a, at(at_a + 2u * P.a_turn + 1u * P.a_panel));
        let b0 = textureLoad(b, at(select(P.zero, at_b + 0u, within && within0)));
let b1 = textureLoad(b, at(select(P.zero, at_b + 1u, within && within1)));
let b2 = textureLoad(b, at(select(P.zero, at_b + 2u, within && within2)));
let b3 = textureLoad(b, at(select(P.zero, at_b + 3u, within && within3)));
let b4 = textureLoad(b, at(select(P.zero, at_b + 4u, within && within4)));
let b5 = textureLoad(b, at(select(P.zero, at_b + 5u, within && within5)));
        let e0_0 = subgroupBroadcast(a0_0, 0u);
let e0_1 = subgroupBroadcast(a0_1, 0u);
let e0_2 = subgroupBroadcast(a0_2, 0u);
        s0 += vec4f(((e0_0.x * b0.x + e0_0.y * b0.y) + e0_0.z * b0.z) + e0_0.w * b0.w, ((e0_0.x * b1.x + e0_0.y * b1.y) + e0_0.z * b1.z) + e0_0.w * b1.w, ((e0_0.x * b2.x + e0_0.y * b2.y) + e0_0.z * b2.z) + e0_0.w * b2.w, ((e0_0.x * b3.x + e0_0.y * b3.y) + e0_0.z * b3.z) + e0_0.w * b3.w) + vec4f(((e0_1.x * b1.x + e0_1.y * b1.y) + e0_1.z * b1.z) + e0_1.w * b1.w, ((e0_1.x * b2.x + e0_1.y * b2.y) + e0_1.z * b2.z) + e0_1.w * b2.w, ((e0_1.x * b3.x + e0_1.y * b3.y) + e0_1.z * b3.z) + e0_1.w * b3.w, ((e0_1.x * b4.x + e0_1.y * b4.y) + e0_1.z * b4.z) + e0_1.w * b4.w) + vec4f(((e0_2.x * b2.x + e0_2.y * b2.y) + e0_2.z * b2.z) + e0_2.w * b2.w, ((e0_2.x * b3.x + e0_2.y * b3.y) + e0_2.z * b3.z) + e0_2.w * b3.w, ((e0_2.x * b4.x + e0_2.y * b4.y) + e0_2.z * b4.z) + e0_2.w * b4.w, ((e0_2.x * b5.x + e0_2.y * b5.y) + e0_2.z * b5.z) + e0_2.w * b5.w);
let e1_0 = subgroupBroadcast(a0_0, 1u);
let e1_1 = subgroupBroadcast(a0_1, 1u);
let e1_2 = subgroupBroadcast(a0_2, 1u);
        s1 += vec4f(((e1_0.x * b0.x + e1_0.y * b0.y) + e1_0.z * b0.z) + e1_0.w * b0.w, ((e1_0.x * b1.x + e1_0.y * b1.y) + e1_0.z * b1.z) + e1_0.w * b1.w, ((e1_0.x * b2.x + e1_0.y * b2.y) + e1_0.z * b2.z) + e1_0.w * b2.w, ((e1_0.x * b3.x + e1_0.y * b3.y) + e1_0.z * b3.z) + e1_0.w * b3.w) + vec4f(((e1_1.x * b1.x + e1_1.y * b1.y) + e1_1.z * b1.z) + e1_1.w * b1.w, ((e1_1.x * b2.x + e1_1.y * b2.y) + e1_1.z * b2.z) + e1_1.w * b2.w, ((e1_1.x * b3.x + e1_1.y * b3.y) + e1_1.z * b3.z) + e1_1.w * b3.w, ((e1_1.x * b4.x + e1_1.y * b4.y) + e1_1.z * b4.z) + e1_1.w * b4.w) + vec4f(((e1_2.x * b2.x + e1_2.y * b2.y) + e1_2.z * b2.z) + e1_2.w * b2.w, ((e1_2.x * b3.x + e1_2.y * b3.y) + e1_2.z * b3.z) + e1_2.w * b3.w, ((e1_2.x * b4.x + e1_2.y * b4.y) + e1_2.z * b4.z) + e1_2.w * b4.w, ((e1_2.x * b5.x + e1_2.y * b5.y) + e1_2.z * b5.z) + e1_2.w * b5.w);
let e2_0 = subgroupBroadcast(a0_0, 2u);
let e2_1 = subgroupBroadcast(a0_1, 2u);
let e2_2 = subgroupBroadcast(a0_2, 2u);
        s2 += vec4f(((e2_0.x * b0.x + e2_0.y * b0.y) + e2_0.z * b0.z) + e2_0.w * b0.w, ((e2_0.x * b1.x + e2_0.y * b1.y) + e2_0.z * b1.z) + e2_0.w * b1.w, ((e2_0.x * b2.x + e2_0.y * b2.y) + e2_0.z * b2.z) + e2_0.w * b2.w, ((e2_0.x * b3.x + e2_0.y * b3.y) + e2_0.z * b3.z) + e2_0.w * b3.w) + vec4f(((e2_1.x * b1.x + e2_1.y * b1.y) + e2_1.z * b1.z) + e2_1.w * b1.w, ((e2_1.x * b2.x + e2_1.y * b2.y) + e2_1.z * b2.z) + e2_1.w * b2.w, ((e2_1.x * b3.x + e2_1.y * b3.y) + e2_1.z * b3.z) + e2_1.w * b3.w, ((e2_1.x * b4.x + e2_1.y * b4.y) + e2_1.z * b4.z) + e2_1.w * b4.w) + vec4f(((e2_2.x * b2.x + e2_2.y * b2.y) + e2_2.z * b2.z) + e2_2.w * b2.w, ((e2_2.x * b3.x + e2_2.y * b3.y) + e2_2.z * b3.z) + e2_2.w * b3.w, ((e2_2.x * b4.x + e2_2.y * b4.y) + e2_2.z * b4.z) + e2_2.w * b4.w, ((e2_2.x * b5.x + e2_2.y * b5.y) + e2_2.z * b5.z) + e2_2.w * b5.w);
let e3_0 = subgroupBroadcast(a0_0, 3u);
let e3_1 = subgroupBroadcast(a0_1, 3u);
let e3_2 = subgroupBroadcast(a0_2, 3u);
        s3 += vec4f(((e3_0.x * b0.x + e3_0.y * b0.y) + e3_0.z * b0.z) + e3_0.w * b0.w, ((e3_0.x * b1.x + e3_0.y * b1.y) + e3_0.z * b1.z) + e3_0.w * b1.w, ((e3_0.x * b2.x + e3_0.y * b2.y) + e3_0.z * b2.z) + e3_0.w * b2.w, ((e3_0.x * b3.x + e3_0.y * b3.y) + e3_0.z * b3.z) + e3_0.w * b3.w) + vec4f(((e3_1.x * b1.x + e3_1.y * b1.y) + e3_1.z * b1.z) + e3_1.w * b1.w, ((e3_1.x * b2.x + e3_1.y * b2.y) + e3_1.z * b2.z) + e3_1.w * b2.w, ((e3_1.x * b3.x + e3_1.y * b3.y) + e3_1.z * b3.z) + e3_1.w * b3.w, ((e3_1.x * b4.x + e3_1.y * b4.y) + e3_1.z * b4.z) + e3_1.w * b4.w) + vec4f(((e3_2.x * b2.x + e3_2.y * b2.y) + e3_2.z * b2.z) + e3_2.w * b2.w, ((e3_2.x * b3.x + e3_2.y * b3.y) + e3_2.z * b3.z) + e3_2.w * b3.w, ((e3_2.x * b4.x + e3_2.y * b4.y) + e3_2.z * b4.z) + e3_2.w * b4.w, ((e3_2.x * b5.x + e3_2.y * b5.y) + e3_2.z * b5.z) + e3_2.w * b5.w);
let e4_0 = subgroupBroadcast(a1_0, 0u);
let e4_1 = subgroupBroadcast(a1_1, 0u);
let e4_2 = subgroupBroadcast(a1_2, 0u);
        s4 += vec4f(((e4_0.x * b0.x + e4_0.y * b0.y) + e4_0.z * b0.z) + e4_0.w * b0.w, ((e4_0.x * b1.x + e4_0.y * b1.y) + e4_0.z * b1.z) + e4_0.w * b1.w, ((e4_0.x * b2.x + e4_0.y * b2.y) + e4_0.z * b2.z) + e4_0.w * b2.w, ((e4_0.x * b3.x + e4_0.y * b3.y) + e4_0.z * b3.z) + e4_0.w * b3.w) + vec4f(((e4_1.x * b1.x + e4_1.y * b1.y) + e4_1.z * b1.z) + e4_1.w * b1.w, ((e4_1.x * b2.x + e4_1.y * b2.y) + e4_1.z * b2.z) + e4_1.w * b2.w, ((e4_1.x * b3.x + e4_1.y * b3.y) + e4_1.z * b3.z) + e4_1.w * b3.w, ((e4_1.x * b4.x + e4_1.y * b4.y) + e4_1.z * b4.z) + e4_1.w * b4.w) + vec4f(((e4_2.x * b2.x + e4_2.y * b2.y) + e4_2.z * b2.z) + e4_2.w * b2.w, ((e4_2.x * b3.x + e4_2.y * b3.y) + e4_2.z * b3.z) + e4_2.w * b3.w, ((e4_2.x * b4.x + e4_2.y * b4.y) + e4_2.z * b4.z) + e4_2.w * b4.w, ((e4_2.x * b5.x + e4_2.y * b5.y) + e4_2.z * b5.z) + e4_2.w * b5.w);
let e5_0 = subgroupBroadcast(a1_0, 1u);
let e5_1 = subgroupBroadcast(a1_1, 1u);
let e5_2 = subgroupBroadcast(a1_2, 1u);
        s5 += vec4f(((e5_0.x * b0.x + e5_0.y * b0.y) + e5_0.z * b0.z) + e5_0.w * b0.w, ((e5_0.x * b1.x + e5_0.y * b1.y) + e5_0.z * b1.z) + e5_0.w * b1.w, ((e5_0.x * b2.x + e5_0.y * b2.y) + e5_0.z * b2.z) + e5_0.w * b2.w, ((e5_0.x * b3.x + e5_0.y * b3.y) + e5_0.z * b3.z) + e5_0.w * b3.w) + vec4f(((e5_1.x * b1.x + e5_1.y * b1.y) + e5_1.z * b1.z) + e5_1.w * b1.w, ((e5_1.x * b2.x + e5_1.y * b2.y) + e5_1.z * b2.z) + e5_1.w * b2.w, ((e5_1.x * b3.x + e5_1.y * b3.y) + e5_1.z * b3.z) + e5_1.w * b3.w, ((e5_1.x * b4.x + e5_1.y * b4.y) + e5_1.z * b4.z) + e5_1.w * b4.w) + vec4f(((e5_2.x * b2.x + e5_2.y * b2.y) + e5_2.z * b2.z) + e5_2.w * b2.w, ((e5_2.x * b3.x + e5_2.y * b3.y) + e5_2.z * b3.z) + e5_2.w * b3.w, ((e5_2.x * b4.x + e5_2.y * b4.y) + e5_2.z * b4.z) + e5_2.w * b4.w, ((e5_2.x * b5.x + e5_2.y * b5.y) + e5_2.z * b5.z) + e5_2.w * b5.w);
let e6_0 = subgroupBroadcast(a1_0, 2u);
let e6_1 = subgroupBroadcast(a1_1, 2u);
let e6_2 = subgroupBroadcast(a1_2, 2u);
        s6 += vec4f(((e6_0.x * b0.x + e6_0.y * b0.y) + e6_0.z * b0.z) + e6_0.w * b0.w, ((e6_0.x * b1.x + e6_0.y * b1.y) + e6_0.z * b1.z) + e6_0.w * b1.w, ((e6_0.x * b2.x + e6_0.y * b2.y) + e6_0.z * b2.z) + e6_0.w * b2.w, ((e6_0.x * b3.x + e6_0.y * b3.y) + e6_0.z * b3.z) + e6_0.w * b3.w) + vec4f(((e6_1.x * b1.x + e6_1.y * b1.y) + e6_1.z * b1.z) + e6_1.w * b1.w, ((e6_1.x * b2.x + e6_1.y * b2.y) + e6_1.z * b2.z) + e6_1.w * b2.w, ((e6_1.x * b3.x + e6_1.y * b3.y) + e6_1.z * b3.z) + e6_1.w * b3.w, ((e6_1.x * b4.x + e6_1.y * b4.y) + e6_1.z * b4.z) + e6_1.w * b4.w) + vec4f(((e6_2.x * b2.x + e6_2.y * b2.y) + e6_2.z * b2.z) + e6_2.w * b2.w, ((e6_2.x * b3.x + e6_2.y * b3.y) + e6_2.z * b3.z) + e6_2.w * b3.w, ((e6_2.x * b4.x + e6_2.y * b4.y) + e6_2.z * b4.z) + e6_2.w * b4.w, ((e6_2.x * b5.x + e6_2.y * b5.y) + e6_2.z * b5.z) + e6_2.w * b5.w);
let e7_0 = subgroupBroadcast(a1_0, 3u);
let e7_1 = subgroupBroadcast(a1_1, 3u);
let e7_2 = subgroupBroadcast(a1_2, 3u);
        s7 += vec4f(((e7_0.x * b0.x + e7_0.y * b0.y) + e7_0.z * b0.z) + e7_0.w * b0.w, ((e7_0.x * b1.x + e7_0.y * b1.y) + e7_0.z * b1.z) + e7_0.w * b1.w, ((e7_0.x * b2.x + e7_0.y * b2.y) + e7_0.z * b2.z) + e7_0.w * b2.w, ((e7_0.x * b3.x + e7_0.y * b3.y) + e7_0.z * b3.z) + e7_0.w * b3.w) + vec4f(((e7_1.x * b1.x + e7_1.y * b1.y) + e7_1.z * b1.z) + e7_1.w * b1.w, ((e7_1.x * b2.x + e7_1.y * b2.y) + e7_1.z * b2.z) + e7_1.w * b2.w, ((e7_1.x * b3.x + e7_1.y * b3.y) + e7_1.z * b3.z) + e7_1.w * b3.w, ((e7_1.x * b4.x + e7_1.y * b4.y) + e7_1.z * b4.z) + e7_1.w * b4.w) + vec4f(((e7_2.x * b2.x + e7_2.y * b2.y) + e7_2.z * b2.z) + e7_2.w * b2.w, ((e7_2.x * b3.x + e7_2.y * b3.y) + e7_2.z * b3.z) + e7_2.w * b3.w, ((e7_2.x * b4.x + e7_2.y * b4.y) + e7_2.z * b4.z) + e7_2.w * b4.w, ((e7_2.x * b5.x + e7_2.y * b5.y) + e7_2.z * b5.z) + e7_2.w * b5.w);
        at_a += P.a_step;
        at_b += P.b_step;
      }
      start_a += 3u * P.a_turn;
    }
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
