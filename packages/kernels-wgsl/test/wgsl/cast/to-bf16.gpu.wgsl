// cast/f32>bf16: 1 × 1 × 1 workgroups, WG = 64; input 0, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<Scalar>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

override WG: u32;
// round to nearest even on the upper half of the float's bits; a NaN stays one
fn upper(i: u32) -> u32 {
  if (i >= P.n) { return 0u; }
  let b = bitcast<u32>(f32(x[i]));
  let nan = (b & 0x7fffffffu) > 0x7f800000u;
  return select((b + 0x7fffu + ((b >> 16u) & 1u)) >> 16u, (b >> 16u) | 0x40u, nan);
}
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var u = id.x; u < (P.n + 1u) / 2u; u += groups.x * WG) { out[u] = upper(2u * u) | (upper(2u * u + 1u) << 16u); }
}
