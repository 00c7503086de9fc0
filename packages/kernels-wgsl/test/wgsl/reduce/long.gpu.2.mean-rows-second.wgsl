// reduce/mean/f32/rows/second: 1 × 1 × 1 workgroups, WG = 32; scratch 0, output 0
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32, count: u32, total: u32, parts: u32, scale: f32, start: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<Scalar>;
alias V = f32; alias VI = i32; alias VB = bool;

fn is_nan(x: V) -> VB { return (bitcast<VI>(x) & VI(0x7fffffff)) > VI(0x7f800000); }

fn ordered(a: V, b: V) -> VB { return max(bitcast<VI>(a) & VI(0x7fffffff), bitcast<VI>(b) & VI(0x7fffffff)) <= VI(0x7f800000); }

fn larger(a: V, b: V) -> V { return select(a + b, max(a, b), ordered(a, b)); }

fn smaller(a: V, b: V) -> V { return select(a + b, min(a, b), ordered(a, b)); }

override WG: u32;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var row = w.x; row < P.n; row += groups.x) {
    let begin = row % P.parts * P.count;
    let end = min(begin + P.count, P.total);
    let base = row / P.parts * P.total;
    var s = P.start;
    for (var i = begin + lane; i < end; i += WG) { s = s + Acc(x[base + i]); }
    s = subgroupAdd(s);
    if (lane == 0u) { out[row] = Scalar(s * P.scale); }
  }
}
