// normWeightGrad/f32/planes/vec4: 8 × 1 × 1 workgroups, WG = 32; input 0, input 1, input 2, input 3, output 0, output 1
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, channels: u32, per_group: u32, groups: u32, batch: u32, images: u32, span: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<Scalar>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<Scalar>>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> rstd: array<f32>;
@group(0) @binding(5) var<storage, read_write> dweight: array<Scalar>;
@group(0) @binding(6) var<storage, read_write> dbias: array<Scalar>;

override WG: u32;
alias Vec = vec4<f32>;
fn total(v: Vec) -> f32 { return dot(v, vec4f(1)); }
fn all_sum(v: f32, lane: u32) -> f32 { return subgroupAdd(v); }
fn all_max(v: f32, lane: u32) -> f32 { return subgroupMax(v); }
fn first(v: f32, lane: u32) -> f32 { return subgroupBroadcastFirst(v); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var item = w.x; item < P.items; item += n.x) {
    let channel = item % P.channels;
    let begin = item / P.channels * P.images;
    let end = min(begin + P.images, P.batch);
    var s = Vec();
    var t = Vec();
    for (var image = begin; image < end; image++) {
      let row = image * P.groups + channel / P.per_group;
      let m = mean[row];
      let r = rstd[row];
      let base = (image * P.channels + channel) * P.span;
      for (var u = base + lane; u < base + P.span; u += WG) {
        let g = Vec(dy[u]);
        s += g;
        t += g * (Vec(x[u]) - m) * r;
      }
    }
    
    let weight = all_sum(total(t), lane);
    let bias = all_sum(total(s), lane);
    if (lane == 0u) { dweight[item] = Scalar(weight); dbias[item] = Scalar(bias); }
  }
}
