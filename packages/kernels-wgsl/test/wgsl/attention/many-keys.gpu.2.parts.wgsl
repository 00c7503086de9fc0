// attention/f32/parts: 1 × 1 × 1 workgroups, WG = 64; scratch 0, scratch 1, output 0, output 1, output 2
alias Scalar = f32;
alias Acc = f32;
struct Params { parts: u32, size: u32, vectors: u32, depth: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read_write> part_out: array<f32>;
@group(0) @binding(2) var<storage, read_write> part_statistics: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<Scalar>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> statistics: array<f32>;

override WG: u32;
alias R = f32;
fn not_number(x: f32) -> bool { return (bitcast<u32>(x) & u32(0x7fffffffu)) > u32(0x7f800000u); }
fn weight(d: f32) -> f32 { return select(select(exp(d), f32(), d < f32(-104.0)), d, not_number(d)); }
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var i = w.x * WG + lane; i < P.size; i += groups.x * WG) {
    var sum_out = 0.0;
    let v = i / P.depth;
    var top = -0x1.fffffep+127;
    for (var p = 0u; p < P.parts; p++) { top = max(top, part_statistics[2u * (p * P.vectors + v)]); }
    var total = 0.0;
    for (var p = 0u; p < P.parts; p++) {
      let own = 2u * (p * P.vectors + v);
      let by = part_statistics[own + 1u] * weight(part_statistics[own] - top);
      total += by;
      sum_out += by * part_out[p * P.size + i];
    }
    let none = total == R();
    let wrong = not_number(total);
    let norm = select(1.0 / total, R(), none);
    let high = select(select(top, total, wrong), R(), none);
    let log_sum = select(select(top + log(total), total, wrong), R(), none);
    sum_out = select(sum_out * norm, 0.0, none);
    if (i % P.depth == 0u) { statistics[2u * v] = high; statistics[2u * v + 1u] = norm; lse[v] = log_sum; }
    out[i] = Scalar(sum_out);
  }
}
