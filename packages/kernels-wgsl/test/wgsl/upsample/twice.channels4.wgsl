// upsample/f32/packed: 4 × 1 × 1 workgroups, WG = 4; input 0, texture 0
alias Scalar = f32;
alias Acc = f32;
struct Params { count: u32, pixels: u32, images: u32, channels: u32, width: u32, factor: u32, zero: u32, pixels_inverse: f32, images_inverse: f32, width_inverse: f32 }
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
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  if (id.x == 0u) { textureStore(texels, at(P.zero), vec4f()); }
  for (var i = id.x; i < P.count; i += groups.x * WG) {
    let plane = quotient(i, P.pixels, P.pixels_inverse);
    let four = quotient(plane, P.images, P.images_inverse);
    let pixel = i - plane * P.pixels;
    let y = quotient(pixel, P.width, P.width_inverse);
    let c = four * 4u;
    let e = ((plane - four * P.images) * P.channels + c) * P.pixels + pixel;
    let v = vec4f(select(Acc(), Acc(x[e + 0u * P.pixels]), c + 0u < P.channels), select(Acc(), Acc(x[e + 1u * P.pixels]), c + 1u < P.channels), select(Acc(), Acc(x[e + 2u * P.pixels]), c + 2u < P.channels), select(Acc(), Acc(x[e + 3u * P.pixels]), c + 3u < P.channels));
    var to = (plane * P.pixels + y * P.width) * P.factor * P.factor + (pixel - y * P.width) * P.factor;
    for (var down = 0u; down < P.factor; down++) {
      for (var across = 0u; across < P.factor; across++) { textureStore(texels, at(to + across), v); }
      to += P.width * P.factor;
    }
  }
}
