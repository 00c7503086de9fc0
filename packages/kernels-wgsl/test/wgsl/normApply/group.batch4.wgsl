// normApply/f32/both/pack-batch4/silu: 2 × 1 × 1 workgroups, WG = 4; input 0, input 1, input 2, input 3, input 4, texture 0
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, groups: u32, channels: u32, quads: u32, zero: u32, split: u32, groups_inverse: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<Scalar>>;
@group(0) @binding(2) var<storage, read> weight: array<Scalar>;
@group(0) @binding(3) var<storage, read> bias: array<Scalar>;
@group(0) @binding(4) var<storage, read> mean: array<f32>;
@group(0) @binding(5) var<storage, read> rstd: array<f32>;
@group(0) @binding(6) var texels: texture_storage_2d<rgba32float, write>;
fn at(i: u32) -> vec2u { return vec2u(i % 1024u, i / 1024u); }

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}

override WG: u32;
alias Vec = vec4f;
fn activate(v: Vec) -> Vec { return v / (Vec(1) + exp(-v)); }
fn of_images(v: f32) -> vec4f { return vec4f(quadBroadcast(v, 0u), quadBroadcast(v, 1u), quadBroadcast(v, 2u), quadBroadcast(v, 3u)); }
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  if (w.x * WG + lane == 0u) { textureStore(texels, at(P.zero), vec4f()); }
  let slots = WG / P.split;
  let slot = lane / P.split;
  let image_step = P.groups * P.channels * P.quads;
  for (var item = w.x; item < P.items; item += n.x) {
    let four = quotient(item, P.groups, P.groups_inverse);
    // Of the three images before a four, three times as many groups come before it.
    let row = item + (3u * four + (lane & 3u)) * P.groups;
    let m = of_images(mean[row]);
    let r = of_images(rstd[row]);
    for (var c = slot; c < P.channels; c += slots) {
      let plane = item * P.channels + c;
      let channel = plane - four * P.groups * P.channels;
      let scale = r * Acc(weight[channel]);
      let offset = Acc(bias[channel]);
      for (var i = lane - slot * P.split; i < P.quads; i += P.split) {
        let e = plane * P.quads + 3u * four * image_step + i;
        let v = transpose(mat4x4f(vec4f(x[e + 0u * image_step]), vec4f(x[e + 1u * image_step]), vec4f(x[e + 2u * image_step]), vec4f(x[e + 3u * image_step])));
        let o = 4u * (plane * P.quads + i);
        textureStore(texels, at(o + 0u), activate((v[0] - m) * scale + offset));
        textureStore(texels, at(o + 1u), activate((v[1] - m) * scale + offset));
        textureStore(texels, at(o + 2u), activate((v[2] - m) * scale + offset));
        textureStore(texels, at(o + 3u), activate((v[3] - m) * scale + offset));
      }
    }
  }
}
