// ema/f32/vec4: 1 × 1 × 1 workgroups, WG = 64; output 0, input 1, input 2
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read_write> e: array<V>;
@group(0) @binding(2) var<storage, read> p: array<T>;
@group(0) @binding(3) var<storage, read> hyper: array<f32>;

alias V = vec4f;
alias T = vec4<Scalar>;
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let decay = hyper[0];
  for (var i = id.x; i < P.n; i += groups.x * WG) {
    e[i] = decay * e[i] + (1.0 - decay) * V(p[i]);
  }
}
