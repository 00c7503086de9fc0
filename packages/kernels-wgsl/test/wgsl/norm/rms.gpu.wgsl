// norm/f32/rms/weight/scalar/elements/subgroup: 16 × 1 × 1 workgroups, WG = 32; input 0, input 1, output 0, output 1, output 2
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { rows: u32, groups: u32, units: u32, span: u32, channels: u32, groups_inverse: f32, span_inverse: f32, count: f32, eps: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<Scalar>;
@group(0) @binding(2) var<storage, read> weight: array<Scalar>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<storage, read_write> mean: array<f32>;
@group(0) @binding(5) var<storage, read_write> rstd: array<f32>;

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}
fn epilogue(v: f32, i: u32) -> f32 { return v; }
alias Out = f32;
fn activate(v: Vec) -> Vec { return v; }

override WG: u32;
alias Vec = f32;
fn total(v: Vec) -> f32 { return v; }

fn all_sum(v: f32, lane: u32) -> f32 { return subgroupAdd(v); }
fn all_max(v: f32, lane: u32) -> f32 { return subgroupMax(v); }
fn first(v: f32, lane: u32) -> f32 { return subgroupBroadcastFirst(v); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let lanes = WG;
  let units = P.units;
  for (var row = w.x; row < P.rows; row += groups.x) {
    let base = row * units;
    // statistics of each lane's own stream, then of all of them
    var m = Vec();
    var squares = Vec();
    var n = 0.0;
    for (var i = lane; i < units; i += lanes) {
      let v = Vec(x[base + i]);
      squares += v * v;
    }
    
    let shift = 0.0;
    let rest = 0.0;
    let r = inverseSqrt(all_sum(total(squares), lane) / P.count + P.eps);
    if (lane == 0u && units > 0u) { mean[row] = 0.0; rstd[row] = r; }
    {
    let own = (row - quotient(row, P.groups, P.groups_inverse) * P.groups) * P.channels;
    for (var i = lane; i < units; i += lanes) {
      let channel = own + i;
      let u = base + i;
      let scale = Acc(weight[channel]); 
      let v = activate((Vec(x[u]) - shift - rest) * r * scale); out[u] = Out(epilogue(v, u));
    }
    }
  }
}
