// flatConcat/f32/4: 1 × 1 × 1 workgroups, WG = 64; input 0, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32, start: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<E>;
@group(0) @binding(2) var<storage, read_write> out: array<E>;

alias E = vec4<Scalar>;
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.n; i += groups.x * WG) { out[P.start + i] = x[i]; }
}
