// normInputGrad/f32/centred/vec4/mixed/subgroup/silu: 8 × 1 × 1 workgroups, WG = 32; input 0, input 1, input 2, input 3, input 4, input 5, output 0
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { rows: u32, groups: u32, units: u32, span: u32, channels: u32, groups_inverse: f32, span_inverse: f32, count: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<Scalar>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<Scalar>>;
@group(0) @binding(3) var<storage, read> weight: array<Scalar>;
@group(0) @binding(4) var<storage, read> bias: array<Scalar>;
@group(0) @binding(5) var<storage, read> mean: array<f32>;
@group(0) @binding(6) var<storage, read> rstd: array<f32>;
@group(0) @binding(7) var<storage, read_write> out: array<vec4<Scalar>>;

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}
alias V = Vec;
fn silu_grad(g: V, x: V) -> V { let s = V(1) / (V(1) + exp(-x)); return g * s * (V(1) + x * (V(1) - s)); }

override WG: u32;
alias Vec = vec4f;
fn total(v: Vec) -> f32 { return dot(v, vec4f(1)); }

fn all_sum(v: f32, lane: u32) -> f32 { return subgroupAdd(v); }
fn all_max(v: f32, lane: u32) -> f32 { return subgroupMax(v); }
fn first(v: f32, lane: u32) -> f32 { return subgroupBroadcastFirst(v); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let lanes = WG;
  let units = P.units;
  for (var row = w.x; row < P.rows; row += groups.x) {
    let base = row * units;
    let m = mean[row];
    let r = rstd[row];
    var s = Vec();
    var t = Vec();
    {
    let own = (row - quotient(row, P.groups, P.groups_inverse) * P.groups) * P.channels;
    for (var i = lane; i < units; i += lanes) {
      let channel = own + quotient(i, P.span, P.span_inverse);
      let u = base + i;
      let scale = Acc(weight[channel]); let offset = Acc(bias[channel]);
      let h = (Vec(x[u]) - m) * r; let g = silu_grad(Vec(dy[u]), h * scale + offset) * scale; s += g; t += g * h;
    }
    }
    let avg = all_sum(total(s), lane) / P.count;
    let slope = all_sum(total(t), lane) / P.count;
    {
    let own = (row - quotient(row, P.groups, P.groups_inverse) * P.groups) * P.channels;
    for (var i = lane; i < units; i += lanes) {
      let channel = own + quotient(i, P.span, P.span_inverse);
      let u = base + i;
      let scale = Acc(weight[channel]); let offset = Acc(bias[channel]);
      let h = (Vec(x[u]) - m) * r; let g = silu_grad(Vec(dy[u]), h * scale + offset) * scale; out[u] = vec4<Scalar>(r * (g - avg - h * slope));
    }
    }
  }
}
