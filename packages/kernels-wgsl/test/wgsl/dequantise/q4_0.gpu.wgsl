// dequantise/q4_0>f32: 4 × 1 × 1 workgroups, WG = 64; input 0, output 0
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

fn nibbles(at: u32, j: u32) -> u32 { return (word(at + 4u * (j & 3u)) >> (j & 4u)) & 0x0f0f0f0fu; }
fn four(at: u32, j: u32) -> vec4f {
  return half(at) * (apart(nibbles(at + 2u, j)) - 8.0);
}
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var u = id.x; u < P.units; u += groups.x * WG) {
    out[u] = vec4<Scalar>(four(18u * (u >> 3u), u & 7u));
  }
}
