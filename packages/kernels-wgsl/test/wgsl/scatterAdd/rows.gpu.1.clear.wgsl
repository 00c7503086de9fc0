// scatterAdd/clear: 1 × 1 × 1 workgroups, WG = 64; scratch 0
alias Scalar = u32;
alias Acc = f32;
struct Params { rows: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read_write> lists: array<u32>;

override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.rows; i += groups.x * WG) { lists[i] = 0xffffffffu; }
}
