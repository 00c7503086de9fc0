// conv2d/f32/results: 10 × 1 × 1 workgroups, WG = 4; texture 3, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { total: u32, cols: u32, fours: u32, rows: u32, padding: u32, position: u32, tiles: u32, per_image: u32, across: u32, height: u32, width: u32, turns: u32, fours_inverse: f32, rows_inverse: f32, per_image_inverse: f32, across_inverse: f32, radix1: u32, radix0: u32, inverse1: f32, inverse0: f32, o_offset: u32, o_batch: u32, o2: u32, o1: u32, o0: u32, o_row: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var products: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;
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
fn place_o(z: u32, d: vec3u) -> u32 { return P.o_offset + z * P.o_batch + d.x * P.o2 + d.y * P.o1 + d.z * P.o0; }

fn pixel_of(tile: u32, down: u32, across: u32) -> u32 {
  let image = quotient(tile, P.per_image, P.per_image_inverse);
  let place = tile - image * P.per_image;
  let row = quotient(place, P.across, P.across_inverse);
  let y = row * 4u + down;
  let x = (place - row * P.across) * 4u + across;
  return select(P.cols, (image * P.height + y) * P.width + x, tile < P.tiles && y < P.height && x < P.width);
}
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var n = id.x; n < P.total; n += groups.x * WG) {
    let plane = quotient(n, P.fours, P.fours_inverse);
    let tile = (n - plane * P.fours) * 4u;
    let z = quotient(plane, P.rows, P.rows_inverse);
    let first = plane - z * P.rows;
    let count = 1u;
    let start = n + z * (35u * P.position + P.padding);
    let m0_0 = textureLoad(products, at(start + 0u * P.position));
let m0_1 = textureLoad(products, at(start + 1u * P.position));
let m0_2 = textureLoad(products, at(start + 2u * P.position));
let m0_3 = textureLoad(products, at(start + 3u * P.position));
let m0_4 = textureLoad(products, at(start + 4u * P.position));
let m0_5 = textureLoad(products, at(start + 5u * P.position));
let m1_0 = textureLoad(products, at(start + 6u * P.position));
let m1_1 = textureLoad(products, at(start + 7u * P.position));
let m1_2 = textureLoad(products, at(start + 8u * P.position));
let m1_3 = textureLoad(products, at(start + 9u * P.position));
let m1_4 = textureLoad(products, at(start + 10u * P.position));
let m1_5 = textureLoad(products, at(start + 11u * P.position));
let m2_0 = textureLoad(products, at(start + 12u * P.position));
let m2_1 = textureLoad(products, at(start + 13u * P.position));
let m2_2 = textureLoad(products, at(start + 14u * P.position));
let m2_3 = textureLoad(products, at(start + 15u * P.position));
let m2_4 = textureLoad(products, at(start + 16u * P.position));
let m2_5 = textureLoad(products, at(start + 17u * P.position));
let m3_0 = textureLoad(products, at(start + 18u * P.position));
let m3_1 = textureLoad(products, at(start + 19u * P.position));
let m3_2 = textureLoad(products, at(start + 20u * P.position));
let m3_3 = textureLoad(products, at(start + 21u * P.position));
let m3_4 = textureLoad(products, at(start + 22u * P.position));
let m3_5 = textureLoad(products, at(start + 23u * P.position));
let m4_0 = textureLoad(products, at(start + 24u * P.position));
let m4_1 = textureLoad(products, at(start + 25u * P.position));
let m4_2 = textureLoad(products, at(start + 26u * P.position));
let m4_3 = textureLoad(products, at(start + 27u * P.position));
let m4_4 = textureLoad(products, at(start + 28u * P.position));
let m4_5 = textureLoad(products, at(start + 29u * P.position));
let m5_0 = textureLoad(products, at(start + 30u * P.position));
let m5_1 = textureLoad(products, at(start + 31u * P.position));
let m5_2 = textureLoad(products, at(start + 32u * P.position));
let m5_3 = textureLoad(products, at(start + 33u * P.position));
let m5_4 = textureLoad(products, at(start + 34u * P.position));
let m5_5 = textureLoad(products, at(start + 35u * P.position));
    let y_0_0 = m0_0 + m0_1 + m0_2 + m0_3 + m0_4;
let y_0_1 = 0.625 * m0_1 - 0.625 * m0_2 + 1.5 * m0_3 - 1.5 * m0_4;
let y_0_2 = 0.390625 * m0_1 + 0.390625 * m0_2 + 2.25 * m0_3 + 2.25 * m0_4;
let y_0_3 = 0.244140625 * m0_1 - 0.244140625 * m0_2 + 3.375 * m0_3 - 3.375 * m0_4 + m0_5;
let y_1_0 = m1_0 + m1_1 + m1_2 + m1_3 + m1_4;
let y_1_1 = 0.625 * m1_1 - 0.625 * m1_2 + 1.5 * m1_3 - 1.5 * m1_4;
let y_1_2 = 0.390625 * m1_1 + 0.390625 * m1_2 + 2.25 * m1_3 + 2.25 * m1_4;
let y_1_3 = 0.244140625 * m1_1 - 0.244140625 * m1_2 + 3.375 * m1_3 - 3.375 * m1_4 + m1_5;
let y_2_0 = m2_0 + m2_1 + m2_2 + m2_3 + m2_4;
let y_2_1 = 0.625 * m2_1 - 0.625 * m2_2 + 1.5 * m2_3 - 1.5 * m2_4;
let y_2_2 = 0.390625 * m2_1 + 0.390625 * m2_2 + 2.25 * m2_3 + 2.25 * m2_4;
let y_2_3 = 0.244140625 * m2_1 - 0.244140625 * m2_2 + 3.375 * m2_3 - 3.375 * m2_4 + m2_5;
let y_3_0 = m3_0 + m3_1 + m3_2 + m3_3 + m3_4;
let y_3_1 = 0.625 * m3_1 - 0.625 * m3_2 + 1.5 * m3_3 - 1.5 * m3_4;
let y_3_2 = 0.390625 * m3_1 + 0.390625 * m3_2 + 2.25 * m3_3 + 2.25 * m3_4;
let y_3_3 = 0.244140625 * m3_1 - 0.244140625 * m3_2 + 3.375 * m3_3 - 3.375 * m3_4 + m3_5;
let y_4_0 = m4_0 + m4_1 + m4_2 + m4_3 + m4_4;
let y_4_1 = 0.625 * m4_1 - 0.625 * m4_2 + 1.5 * m4_3 - 1.5 * m4_4;
let y_4_2 = 0.390625 * m4_1 + 0.390625 * m4_2 + 2.25 * m4_3 + 2.25 * m4_4;
let y_4_3 = 0.244140625 * m4_1 - 0.244140625 * m4_2 + 3.375 * m4_3 - 3.375 * m4_4 + m4_5;
let y_5_0 = m5_0 + m5_1 + m5_2 + m5_3 + m5_4;
let y_5_1 = 0.625 * m5_1 - 0.625 * m5_2 + 1.5 * m5_3 - 1.5 * m5_4;
let y_5_2 = 0.390625 * m5_1 + 0.390625 * m5_2 + 2.25 * m5_3 + 2.25 * m5_4;
let y_5_3 = 0.244140625 * m5_1 - 0.244140625 * m5_2 + 3.375 * m5_3 - 3.375 * m5_4 + m5_5;let y0_0 = y_0_0 + y_1_0 + y_2_0 + y_3_0 + y_4_0;
let y0_1 = y_0_1 + y_1_1 + y_2_1 + y_3_1 + y_4_1;
let y0_2 = y_0_2 + y_1_2 + y_2_2 + y_3_2 + y_4_2;
let y0_3 = y_0_3 + y_1_3 + y_2_3 + y_3_3 + y_4_3;
let y1_0 = 0.625 * y_1_0 - 0.625 * y_2_0 + 1.5 * y_3_0 - 1.5 * y_4_0;
let y1_1 = 0.625 * y_1_1 - 0.625 * y_2_1 + 1.5 * y_3_1 - 1.5 * y_4_1;
let y1_2 = 0.625 * y_1_2 - 0.625 * y_2_2 + 1.5 * y_3_2 - 1.5 * y_4_2;
let y1_3 = 0.625 * y_1_3 - 0.625 * y_2_3 + 1.5 * y_3_3 - 1.5 * y_4_3;
let y2_0 = 0.390625 * y_1_0 + 0.390625 * y_2_0 + 2.25 * y_3_0 + 2.25 * y_4_0;
let y2_1 = 0.390625 * y_1_1 + 0.390625 * y_2_1 + 2.25 * y_3_1 + 2.25 * y_4_1;
let y2_2 = 0.390625 * y_1_2 + 0.390625 * y_2_2 + 2.25 * y_3_2 + 2.25 * y_4_2;
let y2_3 = 0.390625 * y_1_3 + 0.390625 * y_2_3 + 2.25 * y_3_3 + 2.25 * y_4_3;
let y3_0 = 0.244140625 * y_1_0 - 0.244140625 * y_2_0 + 3.375 * y_3_0 - 3.375 * y_4_0 + y_5_0;
let y3_1 = 0.244140625 * y_1_1 - 0.244140625 * y_2_1 + 3.375 * y_3_1 - 3.375 * y_4_1 + y_5_1;
let y3_2 = 0.244140625 * y_1_2 - 0.244140625 * y_2_2 + 3.375 * y_3_2 - 3.375 * y_4_2 + y_5_2;
let y3_3 = 0.244140625 * y_1_3 - 0.244140625 * y_2_3 + 3.375 * y_3_3 - 3.375 * y_4_3 + y_5_3;
    for (var q = 0u; q < P.turns; q++) {
      let col = pixel_of(tile + q % 4u, q / 4u, 0u);
      var s0 = vec4f();
      switch (q) { case 0u: { s0 = vec4f(y0_0.x, y0_1.x, y0_2.x, y0_3.x); }
case 1u: { s0 = vec4f(y0_0.y, y0_1.y, y0_2.y, y0_3.y); }
case 2u: { s0 = vec4f(y0_0.z, y0_1.z, y0_2.z, y0_3.z); }
case 3u: { s0 = vec4f(y0_0.w, y0_1.w, y0_2.w, y0_3.w); }
case 4u: { s0 = vec4f(y1_0.x, y1_1.x, y1_2.x, y1_3.x); }
case 5u: { s0 = vec4f(y1_0.y, y1_1.y, y1_2.y, y1_3.y); }
case 6u: { s0 = vec4f(y1_0.z, y1_1.z, y1_2.z, y1_3.z); }
case 7u: { s0 = vec4f(y1_0.w, y1_1.w, y1_2.w, y1_3.w); }
case 8u: { s0 = vec4f(y2_0.x, y2_1.x, y2_2.x, y2_3.x); }
case 9u: { s0 = vec4f(y2_0.y, y2_1.y, y2_2.y, y2_3.y); }
case 10u: { s0 = vec4f(y2_0.z, y2_1.z, y2_2.z, y2_3.z); }
case 11u: { s0 = vec4f(y2_0.w, y2_1.w, y2_2.w, y2_3.w); }
case 12u: { s0 = vec4f(y3_0.x, y3_1.x, y3_2.x, y3_3.x); }
case 13u: { s0 = vec4f(y3_0.y, y3_1.y, y3_2.y, y3_3.y); }
case 14u: { s0 = vec4f(y3_0.z, y3_1.z, y3_2.z, y3_3.z); }
default: { s0 = vec4f(y3_0.w, y3_1.w, y3_2.w, y3_3.w); } }
    let d = digits(col);
    var o = (place_o(z, d) + first * P.o_row) / 4u;
    
    for (var i = 0u; i < count; i++) {
      var s = vec4f();
      switch (i) {  default: { s = s0; } }
      if (col < P.cols) { out[o] = vec4<Scalar>(s); }
      o += P.o_row / 4u;
      
    }
    }
  }
}
