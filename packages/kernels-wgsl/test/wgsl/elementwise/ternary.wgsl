// fused/vec4/where(i0,i1,i2)/1/fff/f32,f32,f32>f32+: 1 × 1 × 1 workgroups, WG = 64; input 0, input 1, input 2, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32, pad1: u32, pad2: u32, pad3: u32, w: array<vec4u, 2>, s: array<vec4u, 1> }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> in0: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> in1: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> in2: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;
alias V = vec4f; alias VI = vec4i; alias VU = vec4u; alias VB = vec4<bool>;
fn value(i: u32) -> V {
  let o0 = i + P.w[1][0];
  let x0 = V(in0[o0 / 4u]);
  let o1 = i + P.w[1][1];
  let x1 = V(in1[o1 / 4u]);
  let o2 = i + P.w[1][2];
  let x2 = V(in2[o2 / 4u]);
  let t0 = select(x2, x1, (bitcast<VU>(x0) << VU(1u)) != VU(0u));
  return t0;
}

override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var u = id.x; u < P.n; u += groups.x * WG) { let i = u * 4u; out[u] = vec4<f32>(value(i)); }
}
