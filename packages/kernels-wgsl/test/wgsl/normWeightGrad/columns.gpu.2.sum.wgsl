// normWeightGrad/f32/sum: 1 × 1 × 1 workgroups, WG = 64; scratch 0, scratch 1, output 0, output 1
alias Scalar = f32;
alias Acc = f32;
struct Params { count: u32, parts: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read_write> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> biases: array<f32>;
@group(0) @binding(3) var<storage, read_write> dweight: array<Scalar>;
@group(0) @binding(4) var<storage, read_write> dbias: array<Scalar>;

override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) n: vec3u) {
  for (var c = id.x; c < P.count; c += n.x * WG) {
    var s = 0.0;
    var t = 0.0;
    for (var i = c; i < P.count * P.parts; i += P.count) { t += weights[i]; s += biases[i]; }
    dweight[c] = Scalar(t);
    dbias[c] = Scalar(s);
  }
}
