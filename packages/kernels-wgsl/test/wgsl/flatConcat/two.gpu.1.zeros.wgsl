// flatConcat/f32/zeros: 4 × 1 × 1 workgroups, WG = 64; output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { ends: array<vec4u, 1>, n: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read_write> out: array<Scalar>;

const ALIGNMENT = 128u;
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.n; i += groups.x * WG) {
    let k = i / ALIGNMENT;
    let end = P.ends[k / 4u][k % 4u];
    let gap = (ALIGNMENT - end % ALIGNMENT) % ALIGNMENT;
    if (i % ALIGNMENT < gap) { out[end + i % ALIGNMENT] = Scalar(0); }
  }
}
