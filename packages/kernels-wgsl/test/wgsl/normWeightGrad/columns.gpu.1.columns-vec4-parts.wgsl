// normWeightGrad/f32/columns/vec4/parts: 1 × 1 × 1 workgroups, WG = 64; input 0, input 1, input 2, input 3, scratch 0, scratch 1
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, channels: u32, per_group: u32, groups: u32, batch: u32, images: u32, span: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<Scalar>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<Scalar>>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> rstd: array<f32>;
@group(0) @binding(5) var<storage, read_write> dweight: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> dbias: array<vec4<f32>>;

override WG: u32;
alias Vec = vec4<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var item = w.x * WG + lane; item < P.items; item += n.x * WG) {
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
      for (var u = base; u < base + P.span; u += 1u) {
        let g = Vec(dy[u]);
        s += g;
        t += g * (Vec(x[u]) - m) * r;
      }
    }
    
    dweight[item] = vec4<f32>(t);
    dbias[item] = vec4<f32>(s);
  }
}
