// upsample/f32/4: 1 × 1 × 1 workgroups, WG = 64; input 0, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { units: u32, across: u32, factor: u32, width: u32, across_inverse: f32, factor_inverse: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<Scalar>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;

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
    let column = (i - row * P.across) * 4u;
    let base = quotient(row, P.factor, P.factor_inverse) * P.width;
    out[i] = vec4<Out>(vec4f(epilogue(Acc(x[base + quotient(column + 0u, P.factor, P.factor_inverse)]), 4u * i + 0u), epilogue(Acc(x[base + quotient(column + 1u, P.factor, P.factor_inverse)]), 4u * i + 1u), epilogue(Acc(x[base + quotient(column + 2u, P.factor, P.factor_inverse)]), 4u * i + 2u), epilogue(Acc(x[base + quotient(column + 3u, P.factor, P.factor_inverse)]), 4u * i + 3u)));
  }
}
