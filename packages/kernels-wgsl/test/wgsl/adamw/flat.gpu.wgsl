// adamw/f32/vec4: 1 × 1 × 1 workgroups, WG = 64; output 0, output 1, output 2, input 1, input 4
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read_write> p: array<T>;
@group(0) @binding(2) var<storage, read_write> m: array<V>;
@group(0) @binding(3) var<storage, read_write> v: array<V>;
@group(0) @binding(4) var<storage, read> g: array<T>;
@group(0) @binding(5) var<storage, read> hyper: array<vec4f>;

alias V = vec4f;
alias T = vec4<Scalar>;
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let h = hyper[0];
  let k = hyper[1];
  let step = h.x / k.y;
  let root = sqrt(k.z);
  for (var i = id.x; i < P.n; i += groups.x * WG) {
    let d = V(g[i]) * k.w;
    let m1 = m[i] * h.y + d * (1.0 - h.y);
    let v1 = v[i] * h.z + d * d * (1.0 - h.z);
    m[i] = m1;
    v[i] = v1;
    p[i] = T(V(p[i]) * (1.0 - h.x * k.x) - step * m1 / (sqrt(v1) / root + h.w));
  }
}
