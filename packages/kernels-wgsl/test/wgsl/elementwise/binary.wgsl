// fused/scalar/add(i0,i1);sub(s0,i1);mul(s1,i1);div(s2,i1);maximum(s3,i1);minimum(s4,i1);pow(s5,i1);lt(s6,i1);le(s7,i1);gt(s8,i1);ge(s9,i1);eq(s10,i1);siluGrad(s11,i1)/1/ff/f32,f32>f32+: 1 × 1 × 1 workgroups, WG = 64; input 0, input 1, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32, pad1: u32, pad2: u32, pad3: u32, w: array<vec4u, 2>, s: array<vec4u, 1> }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> in0: array<f32>;
@group(0) @binding(2) var<storage, read> in1: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
alias V = f32; alias VI = i32; alias VU = u32; alias VB = bool;

fn ordered(a: V, b: V) -> VB { return max(bitcast<VI>(a) & VI(0x7fffffff), bitcast<VI>(b) & VI(0x7fffffff)) <= VI(0x7f800000); }

fn larger(a: V, b: V) -> V { return select(a + b, max(a, b), ordered(a, b)); }

fn smaller(a: V, b: V) -> V { return select(a + b, min(a, b), ordered(a, b)); }

fn silu_grad(g: V, x: V) -> V { let s = V(1) / (V(1) + exp(-x)); return g * s * (V(1) + x * (V(1) - s)); }

fn power(a: V, b: V) -> V {
  let base = abs(a);
  let whole = floor(b) == b;
  let half = b * V(0.5);
  let odd = whole & (floor(half) != half);
  let infinite = bitcast<VU>(base) == VU(0x7f800000u);
  let size = select(pow(base, b), select(V(1) / base, base, b > V(0)), infinite | (base == V(0)));
  let signed = select(size, -size, odd & ((bitcast<VU>(a) >> VU(31u)) == VU(1u)));
  let real = ordered(a, b) & (whole | infinite | (a >= V(0)));
  let one = (b == V(0)) | (a == V(1)) | ((base == V(1)) & ((bitcast<VU>(b) & VU(0x7fffffffu)) == VU(0x7f800000u)));
  return select(select(bitcast<V>(bitcast<VU>(a) | VU(0x7fc00000u)), signed, real), V(1), one);
}
fn value(i: u32) -> V {
  let o0 = i + P.w[0][3];
  let x0 = V(in0[o0]);
  let o1 = i + P.w[1][0];
  let x1 = V(in1[o1]);
  let t0 = (x0 + x1);
  let t1 = (t0 - x1);
  let t2 = (t1 * x1);
  let t3 = (t2 / x1);
  let t4 = larger(t3, x1);
  let t5 = smaller(t4, x1);
  let t6 = power(t5, x1);
  let t7 = select(V(0), V(1), (t6 < x1) & ordered(t6, x1));
  let t8 = select(V(0), V(1), (t7 <= x1) & ordered(t7, x1));
  let t9 = select(V(0), V(1), (t8 > x1) & ordered(t8, x1));
  let t10 = select(V(0), V(1), (t9 >= x1) & ordered(t9, x1));
  let t11 = select(V(0), V(1), (t10 == x1) & ordered(t10, x1));
  let t12 = silu_grad(t11, x1);
  return t12;
}

override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var u = id.x; u < P.n; u += groups.x * WG) { let i = u * 1u; out[u] = f32(value(i)); }
}
