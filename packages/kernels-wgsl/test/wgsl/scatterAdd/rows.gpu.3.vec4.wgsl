// scatterAdd/f32/vec4: 1 × 1 × 1 workgroups, WG = 64; input 0, scratch 0, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32, inner: u32, rows: u32, count: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> updates: array<E>;
@group(0) @binding(2) var<storage, read_write> lists: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<E>;

alias E = vec4<Scalar>;
alias S = vec4f;
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.n; i += groups.x * WG) {
    let row = i / P.inner;
    let column = i % P.inner;
    var s = S();
    for (var u = lists[row]; u < P.count; u = lists[P.rows + u]) { s += S(updates[u * P.inner + column]); }
    out[i] = E(s);
  }
}
