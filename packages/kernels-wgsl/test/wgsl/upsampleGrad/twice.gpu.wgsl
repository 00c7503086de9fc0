// upsampleGrad/f32/2: 1 × 1 × 1 workgroups, WG = 64; input 0, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { units: u32, across: u32, factor: u32, stride: u32, across_inverse: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<Scalar>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec2<f32>>;

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}
fn epilogue(v: f32, i: u32) -> f32 { return v; }

alias Out = f32;
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.units; i += groups.x * WG) {
    let row = quotient(i, P.across, P.across_inverse);
    var e = row * P.factor * P.stride + (i - row * P.across);
    let v = vec4f(x[e]) + vec4f(x[e + P.stride]);
    out[i] = vec2<Out>(vec2f(epilogue(v.x + v.y, 2u * i), epilogue(v.z + v.w, 2u * i + 1u)));
  }
}
