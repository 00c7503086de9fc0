// concat/f32/1/2: 1 × 1 × 1 workgroups, WG = 64; input 0, input 1, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { stride: u32, n0: u32, run0: u32, start0: u32, run0_inverse: f32, n1: u32, run1: u32, start1: u32, run1_inverse: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x0: array<E>;
@group(0) @binding(2) var<storage, read> x1: array<E>;
@group(0) @binding(3) var<storage, read_write> out: array<E>;

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}

alias E = Scalar;
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let step = groups.x * WG;
  for (var i = id.x; i < P.n0; i += step) { let q = quotient(i, P.run0, P.run0_inverse); out[q * P.stride + P.start0 + i - q * P.run0] = x0[i]; }
  for (var i = id.x; i < P.n1; i += step) { let q = quotient(i, P.run1, P.run1_inverse); out[q * P.stride + P.start1 + i - q * P.run1] = x1[i]; }
}
