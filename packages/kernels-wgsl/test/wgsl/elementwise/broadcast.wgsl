// fused/vec4/add(i0,i1)/2/fs/f32,f32>f32+: 1 × 1 × 1 workgroups, WG = 64; input 0, input 1, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32, pad1: u32, pad2: u32, pad3: u32, w: array<vec4u, 3>, s: array<vec4u, 1> }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> in0: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> in1: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}
alias V = vec4f; alias VI = vec4i; alias VU = vec4u; alias VB = vec4<bool>;
fn value(i: u32) -> V {
  var rest = i;
  let q1 = quotient(rest, P.w[0][1], bitcast<f32>(P.w[2][1])); let c1 = rest - q1 * P.w[0][1]; rest = q1;
  let c0 = rest;
  let o0 = i + P.w[1][2];
  let x0 = V(in0[o0 / 4u]);
  let o1 = P.w[1][3] + c0 * P.w[1][0] + c1 * P.w[1][1];
  let x1 = V(in1[o1 / 4u]);
  let t0 = (x0 + x1);
  return t0;
}

override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var u = id.x; u < P.n; u += groups.x * WG) { let i = u * 4u; out[u] = vec4<f32>(value(i)); }
}
