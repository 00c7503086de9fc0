// scatterAdd/link: 1 × 1 × 1 workgroups, WG = 64; input 1, scratch 0
alias Scalar = u32;
alias Acc = f32;
struct Params { rows: u32, count: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> lists: array<u32>;

override WG: u32;
// lists[row] = first update of a row, lists[rows + u] = the one after update u; 0xffffffff ends a list
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var u = id.x; u < P.count; u += groups.x * WG) {
    let row = indices[u];
    if (row >= P.rows) { continue; }
    var first = true;
    var next = 0xffffffffu;
    for (var other = 0u; other < P.count; other++) {
      if (indices[other] == row) {
        if (other > u) { next = other; break; }
        first = first && other == u;
      }
    }
    lists[P.rows + u] = next;
    if (first) { lists[row] = u; }
  }
}
