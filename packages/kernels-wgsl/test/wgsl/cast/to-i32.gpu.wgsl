// fused/vec4/i32(i0)/1/f/f32>i32+: 1 × 1 × 1 workgroups, WG = 64; input 0, output 0
alias Scalar = i32;
alias Acc = f32;
struct Params { n: u32, pad1: u32, pad2: u32, pad3: u32, w: array<vec4u, 1>, s: array<vec4u, 1> }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> in0: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<i32>>;
alias V = vec4f; alias VI = vec4i; alias VU = vec4u; alias VB = vec4<bool>;

fn is_nan(x: V) -> VB { return (bitcast<VI>(x) & VI(0x7fffffff)) > VI(0x7f800000); }
fn value(i: u32) -> VI {
  let o0 = i + P.w[0][2];
  let x0 = V(in0[o0 / 4u]);
  let t0 = select(VI(x0), VI(0), is_nan(x0));
  return t0;
}

override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var u = id.x; u < P.n; u += groups.x * WG) { let i = u * 4u; out[u] = vec4<i32>(value(i)); }
}
