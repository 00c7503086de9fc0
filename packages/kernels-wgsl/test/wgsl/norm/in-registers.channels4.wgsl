// norm/f32/centred/both/packed/registers/silu: 2 × 2 × 1 workgroups, WG = 4; input 0, input 1, input 2, texture 0, output 1, output 2
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { bundle: u32, bundles: u32, fours: u32, quads: u32, images: u32, zero: u32, count: f32, channels_inverse: f32, eps: f32, split: u32, blocks: u32, quads_inverse: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<Scalar>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<Scalar>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<Scalar>>;
@group(0) @binding(4) var texels: texture_storage_2d<rgba32float, write>;
@group(0) @binding(5) var<storage, read_write> mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> rstd: array<f32>;
fn at(i: u32) -> vec2u { return vec2u(i % 1024u, i / 1024u); }

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}

override WG: u32;

alias Each = f32;
alias Owner = vec4f;
fn owner(f: u32, here: bool) -> Owner { return select(vec4f(), vec4f(1), here); }
fn meet(o: Owner, v: vec4f) -> Each { return dot(o, v); }
fn spread(o: Owner, e: Each) -> vec4f { return vec4f(e); }
fn part(e: Each, j: u32) -> f32 { return e; }
fn with_part(e: Each, j: u32, v: f32) -> Each { return v; }

fn weight_of(four: u32) -> vec4f { return vec4f(weight[four]); }
fn bias_of(four: u32) -> vec4f { return vec4f(bias[four]); }
alias Vec = vec4f;
fn activate(v: Vec) -> Vec { return v / (Vec(1) + exp(-v)); }
fn finish(v: vec4f) -> vec4f { return activate(v); }

fn block(e: u32) -> mat4x4f {
  return transpose(mat4x4f(vec4f(x[e]), vec4f(x[e + P.quads]), vec4f(x[e + 2u * P.quads]), vec4f(x[e + 3u * P.quads])));
}
fn less(b: mat4x4f, v: vec4f) -> mat4x4f { return mat4x4f(b[0] - v, b[1] - v, b[2] - v, b[3] - v); }
fn store(o: u32, b: mat4x4f, scale: vec4f, offset: vec4f) {
  textureStore(texels, at(o), finish(b[0] * scale + offset));
  textureStore(texels, at(o + 1u), finish(b[1] * scale + offset));
  textureStore(texels, at(o + 2u), finish(b[2] * scale + offset));
  textureStore(texels, at(o + 3u), finish(b[3] * scale + offset));
}


fn all_sum(e: Each) -> Each {
  var s = e;
  for (var d = 1u; d < P.split; d *= 2u) { s += subgroupShuffleXor(s, d); }
  return s;
}
fn total(b: mat4x4f) -> vec4f { return b[0] + b[1] + b[2] + b[3]; }
fn squares(b: mat4x4f) -> vec4f { return b[0] * b[0] + b[1] * b[1] + b[2] * b[2] + b[3] * b[3]; }
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at_once = WG / P.split;
  let slot = lane / P.split;
  let own = lane - slot * P.split;
  let here0 = own + 0u * P.split < P.blocks;
  let block0 = min(own + 0u * P.split, P.blocks - 1u);
  let f0 = quotient(block0, P.quads, P.quads_inverse);
  let quad0 = block0 - f0 * P.quads;
  let owner0 = owner(f0, here0);
  let here1 = own + 1u * P.split < P.blocks;
  let block1 = min(own + 1u * P.split, P.blocks - 1u);
  let f1 = quotient(block1, P.quads, P.quads_inverse);
  let quad1 = block1 - f1 * P.quads;
  let owner1 = owner(f1, here1);
  for (var bundle = w.y; bundle < P.bundles; bundle += n.y) {
    let four0 = bundle * P.fours + f0;
    let weight0 = weight_of(four0);
    let bias0 = bias_of(four0);
    let four1 = bundle * P.fours + f1;
    let weight1 = weight_of(four1);
    let bias1 = bias_of(four1);
    for (var first = w.x * at_once; first < P.images; first += n.x * at_once) {
      let image = min(first + slot, P.images - 1u);
      let x0 = block((image * P.bundles * P.fours + four0) * 4u * P.quads + quad0);
      let x1 = block((image * P.bundles * P.fours + four1) * 4u * P.quads + quad1);
      let near = all_sum(meet(owner0, total(x0)) + meet(owner1, total(x1))) / P.count;
      let d0 = less(x0, spread(owner0, near));
      let d1 = less(x1, spread(owner1, near));
      let rest = all_sum(meet(owner0, total(d0)) + meet(owner1, total(d1))) / P.count;
      let square = all_sum(meet(owner0, squares(d0)) + meet(owner1, squares(d1))) / P.count;
      let variance = square - rest * rest;
      // Rounding may leave less than nothing; a maximum might make 0 of NaN.
      let r = inverseSqrt(select(variance, Each(), variance < Each()) + P.eps);
      if (first + slot < P.images) {
        for (var j = own; j < P.bundle; j += P.split) {
          let row = (image * P.bundles + bundle) * P.bundle + j;
          mean[row] = part(near + rest, j);
          rstd[row] = part(r, j);
        }
        if (here0) {
          store(((four0 * P.images + image) * P.quads + quad0) * 4u, less(d0, spread(owner0, rest)), weight0 * spread(owner0, r), bias0);
        }
        if (here1) {
          store(((four1 * P.images + image) * P.quads + quad1) * 4u, less(d1, spread(owner1, rest)), weight1 * spread(owner1, r), bias1);
        }
      }
    }
  }
  if (w.y == 0u && w.x * WG + lane == 0u) { textureStore(texels, at(P.zero), vec4f()); }
}
