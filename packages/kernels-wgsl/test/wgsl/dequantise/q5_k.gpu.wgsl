// dequantise/q5_k>f32: 4 × 1 × 1 workgroups, WG = 64; input 0, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { units: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> blocks: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<Scalar>>;

fn word(at: u32) -> u32 {
  let low = blocks[at >> 2u];
  if ((at & 2u) == 0u) { return low; }
  return (low >> 16u) | (blocks[(at >> 2u) + 1u] << 16u);
}
fn half(at: u32) -> f32 { return unpack2x16float(blocks[at >> 2u] >> (8u * (at & 2u))).x; }
fn apart(w: u32) -> vec4f { return vec4f((vec4u(w) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u)); }

fn byte(at: u32) -> u32 { return (blocks[at >> 2u] >> (8u * (at & 3u))) & 255u; }
fn scaled(at: u32, part: u32, q: vec4f) -> vec4f {
  let s = at + 4u + part;
  var scale = byte(s) & 63u;
  var least = byte(s + 4u) & 63u;
  if (part >= 4u) {
    let both = byte(s + 4u);
    scale = (both & 15u) | ((byte(s - 4u) >> 6u) << 4u);
    least = (both >> 4u) | ((byte(s) >> 6u) << 4u);
  }
  return half(at) * f32(scale) * q - half(at + 2u) * f32(least);
}
fn four(at: u32, j: u32) -> vec4f {
  let part = j >> 3u;
  let w = word(at + 48u + 32u * (part >> 1u) + 4u * (j & 7u));
  let high = ((word(at + 16u + 4u * (j & 7u)) >> part) & 0x01010101u) << 4u;
  return scaled(at, part, apart(((w >> (4u * (part & 1u))) & 0x0f0f0f0fu) | high));
}
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var u = id.x; u < P.units; u += groups.x * WG) {
    out[u] = vec4<Scalar>(four(176u * (u >> 6u), u & 63u));
  }
}
