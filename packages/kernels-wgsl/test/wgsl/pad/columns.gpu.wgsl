// pad/f32/1: 1 × 1 × 1 workgroups, WG = 64; input 0, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32, size: u32, padded: u32, inner: u32, before: u32, inner_inverse: f32, padded_inverse: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<E>;
@group(0) @binding(2) var<storage, read_write> out: array<E>;

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}

alias E = Scalar;
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.n; i += groups.x * WG) {
    let row = quotient(i, P.inner, P.inner_inverse);
    let outer = quotient(row, P.padded, P.padded_inverse);
    let k = row - outer * P.padded - P.before;
    let ok = k < P.size;
    let value = x[select(0u, (outer * P.size + k) * P.inner + i - row * P.inner, ok)];
    out[i] = select(E(), value, ok);
  }
}
