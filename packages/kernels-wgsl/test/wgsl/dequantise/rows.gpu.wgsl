// dequantise/f32: 1 × 1 × 1 workgroups, WG = 64; input 0, input 1, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { units: u32, across: u32, across_inverse: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> words: array<u32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<Scalar>>;

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}

fn unpack(word: u32) -> vec4f {
  let w = bitcast<i32>(word);
  return vec4f(vec4i(extractBits(w, 0u, 8u), extractBits(w, 8u, 8u), extractBits(w, 16u, 8u), extractBits(w, 24u, 8u)));
}

override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.units; i += groups.x * WG) {
    out[i] = vec4<Scalar>(scale[quotient(i, P.across, P.across_inverse)] * unpack(words[i]));
  }
}
