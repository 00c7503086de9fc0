// sgd/nesterov/f32/vec4: 1 × 1 × 1 workgroups, WG = 64; output 0, output 1, input 1, input 3
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read_write> p: array<T>;
@group(0) @binding(2) var<storage, read_write> buf: array<V>;
@group(0) @binding(3) var<storage, read> g: array<T>;
@group(0) @binding(4) var<storage, read> hyper: array<vec4f>;

alias V = vec4f;
alias T = vec4<Scalar>;
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let h = hyper[0];
  for (var i = id.x; i < P.n; i += groups.x * WG) {
    let p0 = V(p[i]);
    let d = V(g[i]) * h.w + h.z * p0;
    let b = h.y * buf[i] + d;
    buf[i] = b;
    p[i] = T(p0 - h.x * (d + h.y * b));
  }
}
