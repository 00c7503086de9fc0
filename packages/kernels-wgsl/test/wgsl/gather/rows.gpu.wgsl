// gather/f32/vec4: 1 × 1 × 1 workgroups, WG = 64; input 0, input 1, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32, inner: u32, rows: u32, strange: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> table: array<E>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<E>;

alias E = vec4<Scalar>;
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.n; i += groups.x * WG) {
    // a negative index is a large u32
    let row = indices[i / P.inner];
    let ok = row < P.rows;
    let value = table[select(0u, row * P.inner + i % P.inner, ok)];
    out[i] = select(E(bitcast<Scalar>(P.strange)), value, ok);
  }
}
