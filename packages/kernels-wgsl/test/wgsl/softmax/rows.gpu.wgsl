// softmax/f32/vec4/subgroup: 8 × 1 × 1 workgroups, WG = 32; input 0, output 0
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { rows: u32, units: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<Scalar>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;
fn epilogue(v: f32, i: u32) -> f32 { return v; }

alias Out = f32;
alias Vec = vec4<f32>;
override WG: u32;
fn total(v: Vec) -> f32 { return dot(v, vec4f(1)); }
fn highest(v: Vec) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }

fn not_number(x: vec4f) -> vec4<bool> { return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u); }
fn weight(d: vec4f) -> vec4f { return select(select(exp(d), vec4f(), d < vec4f(-104.0)), d, not_number(d)); }

fn all_sum(v: f32, lane: u32) -> f32 { return subgroupAdd(v); }
fn all_max(v: f32, lane: u32) -> f32 { return subgroupMax(v); }
fn first(v: f32, lane: u32) -> f32 { return subgroupBroadcastFirst(v); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var row = w.x; row < P.rows; row += groups.x) {
    let base = row * P.units;
    var own = -0x1.fffffep+127;
    var sum = Vec();
    for (var u = base + lane; u < base + P.units; u += WG) {
      let v = Vec(x[u]);
      let higher = max(own, highest(v));
      sum = sum * exp(own - higher) + weight(v - higher);
      own = higher;
    }
    let top = all_max(own, lane);
    let whole = all_sum(total(sum) * exp(own - top), lane);
    // NaN, which a maximum may drop, is in the sum.
    let scale = select(1.0 / whole, 0.0, whole == 0.0);
    for (var u = base + lane; u < base + P.units; u += WG) {
      let v = weight(Vec(x[u]) - top) * scale;
      out[u] = vec4<Out>(vec4f(epilogue(v.x, 4u * u), epilogue(v.y, 4u * u + 1u), epilogue(v.z, 4u * u + 2u), epilogue(v.w, 4u * u + 3u)));
    }
  }
}
