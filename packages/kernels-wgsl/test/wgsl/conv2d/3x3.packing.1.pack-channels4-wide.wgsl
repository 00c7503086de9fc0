// conv2d/f32/pack-channels4-wide: 8 × 1 × 1 workgroups, WG = 4; input 0, texture 0
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, count: u32, zero: u32, pixels: u32, images: u32, fours: u32, channels: u32, group_step: u32, image_step: u32, of_pixels: f32, of_images: f32, of_fours: f32 }
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
    let i = item * WG + lane;
    if (i < P.count) {
      let plane = over(i, P.pixels, P.of_pixels);
      let unit = over(plane, P.images, P.of_images);
      let group = over(unit, P.fours, P.of_fours);
      let c = (unit - group * P.fours) * 4u;
      let e = group * P.group_step + (plane - unit * P.images) * P.image_step + c * P.pixels + i - plane * P.pixels;
      let v0 = select(vec4f(), vec4f(x[e + 0u * P.pixels]), c + 0u < P.channels);
      let v1 = select(vec4f(), vec4f(x[e + 1u * P.pixels]), c + 1u < P.channels);
      let v2 = select(vec4f(), vec4f(x[e + 2u * P.pixels]), c + 2u < P.channels);
      let v3 = select(vec4f(), vec4f(x[e + 3u * P.pixels]), c + 3u < P.channels);
      textureStore(texels, at(4u * i + 0u), vec4f(v0.x, v1.x, v2.x, v3.x));
      textureStore(texels, at(4u * i + 1u), vec4f(v0.y, v1.y, v2.y, v3.y));
      textureStore(texels, at(4u * i + 2u), vec4f(v0.z, v1.z, v2.z, v3.z));
      textureStore(texels, at(4u * i + 3u), vec4f(v0.w, v1.w, v2.w, v3.w));
    }
  }
}
