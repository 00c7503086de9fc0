// conv2dWeightGrad/f32/pack-batch4-wide: 32 × 1 × 1 workgroups, WG = 4; input 1, texture 1
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, channels: u32, pixels: u32, image_step: u32, zero: u32, of_channels: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<Scalar>>;
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
  if (w.x * WG + lane == 0u) { textureStore(texels, at(P.zero), vec4f()); }
  for (var item = w.x; item < P.items; item += nw.x) {
    // Of the three images before a four, three times as many channels come before it.
    let base = (item + over(item, P.channels, P.of_channels) * 3u * P.channels) * P.pixels;
    for (var i = lane; i < P.pixels; i += WG) {
      let e = base + i;
      let o = (item * P.pixels + i) * 4u;
      let v = transpose(mat4x4f(vec4f(x[e + 0u * P.image_step]), vec4f(x[e + 1u * P.image_step]), vec4f(x[e + 2u * P.image_step]), vec4f(x[e + 3u * P.image_step])));
      textureStore(texels, at(o + 0u), v[0]);
textureStore(texels, at(o + 1u), v[1]);
textureStore(texels, at(o + 2u), v[2]);
textureStore(texels, at(o + 3u), v[3]);
    }
  }
}
