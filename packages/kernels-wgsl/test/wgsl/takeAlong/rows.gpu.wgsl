// takeAlong/f32: 1 × 1 × 1 workgroups, WG = 64; input 0, input 1, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32, size: u32, width: u32, count: u32, strange: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<Scalar>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<Scalar>;

override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.n; i += groups.x * WG) {
    let row = i / P.width;
    let k = indices[i];
    let ok = k < P.size;
    let value = x[select(0u, row * P.size + k, ok)];
    out[i] = select(bitcast<Scalar>(P.strange), value, ok);
  }
}
