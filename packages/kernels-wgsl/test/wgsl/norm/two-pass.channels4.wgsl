// norm/f32/centred/both/packed/two-pass/silu: 8 × 1 × 1 workgroups, WG = 4; input 0, input 1, input 2, texture 0, output 1, output 2
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { bundle: u32, bundles: u32, fours: u32, quads: u32, images: u32, zero: u32, count: f32, channels_inverse: f32, eps: f32, items: u32, units: u32, split: u32, bundles_inverse: f32 }
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


fn mean_of(mean: f32, r: f32) -> f32 { return select(mean, r, (bitcast<u32>(r) & 0x7fffffffu) > 0x7f800000u); }
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let slot = lane / P.split;
  for (var item = w.x; item < P.items; item += groups.x) {
    var shift = Each();
    var rest = Each();
    var r = Each();
    for (var j = 0u; j < P.bundle; j++) {
      let row = item * P.bundle + j;
      // statistics of each lane's own stream, then of all of them
      var m = vec4f();
      var squares = vec4f();
      var n = 0.0;
      for (var i = lane; i < P.units; i += WG) {
        let v = vec4f(x[row * P.units + i]);
        n += 1.0;
        let d = v - m;
        m += d / n;
        squares += d * (v - m);
      }
      let shift_j = subgroupBroadcastFirst(dot(m, vec4f(0.25)));
      let rest_j = subgroupAdd(n * dot(m - shift_j, vec4f(1))) / P.count;
      let apart = m - shift_j - rest_j;
      squares += n * apart * apart;
      let r_j = inverseSqrt(subgroupAdd(dot(squares, vec4f(1))) / P.count + P.eps);
      if (lane == 0u) { mean[row] = mean_of(shift_j + rest_j, r_j); rstd[row] = r_j; }
      shift = with_part(shift, j, shift_j);
      rest = with_part(rest, j, rest_j);
      r = with_part(r, j, r_j);
    }
    let image = quotient(item, P.bundles, P.bundles_inverse);
    let bundle = item - image * P.bundles;
    for (var f = slot; f < P.fours; f += WG / P.split) {
      let four = bundle * P.fours + f;
      let o = owner(f, true);
      let near = spread(o, shift);
      let apart = spread(o, rest);
      let scale = weight_of(four) * spread(o, r);
      let offset = bias_of(four);
      for (var quad = lane - slot * P.split; quad < P.quads; quad += P.split) {
        let v = less(less(block((item * P.fours + f) * 4u * P.quads + quad), near), apart);
        store(((four * P.images + image) * P.quads + quad) * 4u, v, scale, offset);
      }
    }
  }
  if (w.x * WG + lane == 0u) { textureStore(texels, at(P.zero), vec4f()); }
}
