// conv2dWeightGrad/f32/pack-planes: 8 × 1 × 1 workgroups, WG = 4; input 1, texture 1
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, fours: u32, units: u32, planes: u32, pixels: u32, width: u32, of_planes: f32, of_fours: f32, rows: u32, cols: u32, top: u32, left: u32, down: u32, across: u32, forth: u32, back: u32, bundle_step: u32, radix_bits: u32, radix_mask: u32, unit1: u32, unit0: u32, shift: u32, plane_step: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<Scalar>;
@group(0) @binding(2) var texels: texture_storage_2d<rgba32float, write>;
fn at(i: u32) -> vec2u { return vec2u(i % 1024u, i / 1024u); }

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}

override WG: u32;
fn over(i: u32, d: u32, inverse: f32) -> u32 { return quotient(i, d, inverse); }
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) lane: u32) {
  
  let y0 = lane / P.width;
  let c0 = lane % P.width - P.left;
  let e0 = (y0 - P.top) * P.cols + c0;
  for (var item = w.x; item < P.items; item += nw.x) {
    let texel = over(item, P.planes, P.of_planes);
    let bundle = over(texel, P.fours, P.of_fours);
    let unit = (texel - bundle * P.fours) * 4u + vec4u(0u, 1u, 2u, 3u);
    let part = unit & vec4u(P.radix_mask);
    let shift = part * P.shift;
    let known = unit < vec4u(P.units);
    // All wrap below zero outside the image, where what is read counts for nothing.
    var y = y0 - P.top;
    var c = c0;
    var e = e0 + bundle * P.bundle_step + (item - texel * P.planes) * P.plane_step + (unit >> vec4u(P.radix_bits)) * P.unit1 + part * P.unit0 + shift * P.cols;
    for (var i = lane; i < P.pixels; i += WG) {
      let v = vec4f(Acc(x[e.x]), Acc(x[e.y]), Acc(x[e.z]), Acc(x[e.w]));
      textureStore(texels, at(item * P.pixels + i), select(vec4f(), v, known & (y + shift < vec4u(P.rows)) & vec4<bool>(c < P.cols)));
      y += P.down;
      c += P.across;
      e += vec4u(P.forth);
      if (c + P.left >= P.width) {
        y += 1u;
        c -= P.width;
        e += vec4u(P.back);
      }
    }
  }
}
