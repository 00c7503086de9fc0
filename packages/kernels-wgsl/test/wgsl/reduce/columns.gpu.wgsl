// reduce/mean/f32/columns: 1 × 1 × 1 workgroups, WG = 64; input 0, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32, inner: u32, count: u32, scale: f32, start: f32, inner_inverse: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<Scalar>;
@group(0) @binding(2) var<storage, read_write> out: array<Scalar>;

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}
alias V = f32; alias VI = i32; alias VB = bool;

fn is_nan(x: V) -> VB { return (bitcast<VI>(x) & VI(0x7fffffff)) > VI(0x7f800000); }

fn ordered(a: V, b: V) -> VB { return max(bitcast<VI>(a) & VI(0x7fffffff), bitcast<VI>(b) & VI(0x7fffffff)) <= VI(0x7f800000); }

fn larger(a: V, b: V) -> V { return select(a + b, max(a, b), ordered(a, b)); }

fn smaller(a: V, b: V) -> V { return select(a + b, min(a, b), ordered(a, b)); }

override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var o = id.x; o < P.n; o += groups.x * WG) {
    let row = quotient(o, P.inner, P.inner_inverse);
    let base = (row * P.count - row) * P.inner + o;
    var s = P.start;
    for (var i = 0u; i < P.count; i++) { s = s + Acc(x[base + i * P.inner]); }
    out[o] = Scalar(s * P.scale);
  }
}
