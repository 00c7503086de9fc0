// fused/vec4/neg(i0);abs(s0);sign(s1);exp(s2);log(s3);sqrt(s4);rsqrt(s5);square(s6);sin(s7);cos(s8);tanh(s9);sigmoid(s10);relu(s11);silu(s12);gelu(s13);quickGelu(s14);erf(s15);erfc(s16);softplus(s17);floor(s18)/1/f/f32>f32+: 1 × 1 × 1 workgroups, WG = 64; input 0, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { n: u32, pad1: u32, pad2: u32, pad3: u32, w: array<vec4u, 1>, s: array<vec4u, 1> }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> in0: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;
alias V = vec4f; alias VI = vec4i; alias VU = vec4u; alias VB = vec4<bool>;

fn is_nan(x: V) -> VB { return (bitcast<VI>(x) & VI(0x7fffffff)) > VI(0x7f800000); }

fn positive_part(x: V) -> V { return select(x, V(0), bitcast<VI>(x) <= VI(-0x800000)); }

fn direction(x: V) -> V { return select(sign(x), x, is_nan(x)); }

fn exponential(x: V) -> V { return select(exp(x), x, is_nan(x)); }

fn logarithm(x: V) -> V {
  let whole = bitcast<VU>(x);
  let small = whole < VU(0x800000u);
  let bits = bitcast<VU>(select(x, V(whole), small)) + VU(0x4afb0du);
  let e = V(bitcast<VI>(bits >> VU(23u)) - select(VI(127), VI(276), small));
  let m = bitcast<V>((bits & VU(0x7fffffu)) + VU(0x3f3504f3u));
  let s = (m - V(1)) / (m + V(1));
  let q = s * s;
  let near = V(2) * s * (V(1) + q * (V(0.33333333) + q * (V(0.2) + q * (V(0.14285714) + q * V(0.11111111)))));
  let above = select(bitcast<V>(whole | VU(0x7fc00000u)), x, whole == VU(0x7f800000u));
  let edge = select(above, bitcast<V>(whole | VU(0xff800000u)), (whole << VU(1u)) == VU(0u));
  return select(edge, e * V(0.69314718) + near, whole - VU(1u) < VU(0x7f7fffffu));
}

const two_over_pi = array<u32, 8>(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
fn upper(a: VU, b: VU) -> VU {
  let low = (a & VU(0xffffu)) * (b & VU(0xffffu));
  let mid = (a >> VU(16u)) * (b & VU(0xffffu)) + (low >> VU(16u));
  let cross = (a & VU(0xffffu)) * (b >> VU(16u)) + (mid & VU(0xffffu));
  return (a >> VU(16u)) * (b >> VU(16u)) + (mid >> VU(16u)) + (cross >> VU(16u));
}
fn far_turns(x: V, rest: ptr<function, V>) -> V {
  let bits = bitcast<VU>(abs(x));
  let m = (bits & VU(0x7fffffu)) | VU(0x800000u);
  let first = (bits >> VU(23u)) - VU(120u);
  var w0 = VU(0u);
  var w1 = w0;
  var w2 = w0;
  var w3 = w0;
  for (var i = 0u; i < 5u; i++) {
    let here = (first >> VU(5u)) == VU(i);
    w0 = select(w0, VU(two_over_pi[i]), here);
    w1 = select(w1, VU(two_over_pi[i + 1u]), here);
    w2 = select(w2, VU(two_over_pi[i + 2u]), here);
    w3 = select(w3, VU(two_over_pi[i + 3u]), here);
  }
  let shift = first & VU(31u);
  // In two steps, as a shift by 32 is none.
  let back = VU(31u) - shift;
  let low = m * ((w1 << shift) | ((w2 >> VU(1u)) >> back));
  let mid = low + upper(m, (w2 << shift) | ((w3 >> VU(1u)) >> back));
  let high = m * ((w0 << shift) | ((w1 >> VU(1u)) >> back)) + upper(m, (w1 << shift) | ((w2 >> VU(1u)) >> back)) + select(VU(0u), VU(1u), mid < low);
  let fraction = (high << VU(2u)) | (mid >> VU(30u));
  let left = V(bitcast<VI>(fraction)) * V(0x1p-32) + V(mid << VU(2u)) * V(0x1p-64);
  let turns = V((high >> VU(30u)) + (fraction >> VU(31u)));
  *rest = select(left, -left, x < V(0));
  return select(turns, -turns, x < V(0));
}

fn trig(x: V, quarters: V) -> V {
  var k = round(x * V(0.63661977236758134));
  var r = ((x - k * V(1.5703125)) - k * V(4.837512969970703125e-4)) - k * V(7.549789948768648e-8);
  let far = (bitcast<VU>(x) & VU(0x7fffffffu)) - VU(0x44800000u) < VU(0x3b000000u);
  if (any(far)) {
    var rest = V(0);
    k = select(k, far_turns(x, &rest), far);
    r = select(r, rest * V(1.5707963267948966), far);
  }
  let q = k + quarters;
  let turn = q - V(4) * floor(q * V(0.25));
  let z = r * r;
  let sine = r + r * z * (V(-1.6666654611e-1) + z * (V(8.3321608736e-3) + z * V(-1.9515295891e-4)));
  let cosine = V(1) - V(0.5) * z + z * z * (V(4.166664568298827e-2) + z * (V(-1.388731625493765e-3) + z * V(2.443315711809948e-5)));
  let v = select(sine, cosine, (turn == V(1)) | (turn == V(3)));
  return select(v, -v, turn >= V(2));
}

fn tangent(x: V) -> V {
  let a = abs(x);
  let z = x * x;
  let near = x * (V(1) + z * (V(-3.33332819422e-1) + z * (V(1.33314422036e-1) + z * (V(-5.37397155531e-2)
    + z * (V(2.06390887954e-2) + z * V(-5.70498872745e-3))))));
  let far = V(1) - V(2) / (exponential(a + a) + V(1));
  return select(select(far, -far, x < V(0)), near, a < V(0.625));
}

fn log_beside_one(u: V) -> V {
  let s = u / (V(2) + u);
  let q = s * s;
  return V(2) * s * (V(1) + q * (V(0.33333333) + q * (V(0.2) + q * (V(0.14285714) + q * (V(0.11111111) + q * (V(0.09090909) + q * V(0.07692308)))))));
}

fn erfc(x: V) -> V {
  let a = abs(x);
  let t = V(1) / (V(1) + V(0.5) * a);
  let tail = t * exp(V(-1.26551223) - a * a + t * (V(1.00002368) + t * (V(0.37409196) + t * (V(0.09678418) + t * (V(-0.18628806)
    + t * (V(0.27886807) + t * (V(-1.13520398) + t * (V(1.48851587) + t * (V(-0.82215223) + t * V(0.17087277))))))))));
  return select(tail, V(2) - tail, x < V(0));
}

fn erf(x: V) -> V {
  let q = x * x;
  let near = x * V(1.1283791670955126) * (V(1) + q * (V(-0.33333333333) + q * (V(0.1) + q * (V(-0.02380952381) + q * (V(0.00462962963)
    + q * (V(-0.00075757576) + q * (V(0.00010683761) + q * V(-0.00001322751))))))));
  let far = V(1) - erfc(abs(x));
  return select(select(far, -far, x < V(0)), near, abs(x) < V(1));
}
fn value(i: u32) -> V {
  let o0 = i + P.w[0][2];
  let x0 = V(in0[o0 / 4u]);
  let t0 = (-x0);
  let t1 = abs(t0);
  let t2 = direction(t1);
  let t3 = exponential(t2);
  let t4 = logarithm(t3);
  let t5 = sqrt(t4);
  let t6 = inverseSqrt(t5);
  let t7 = (t6 * t6);
  let t8 = trig(t7, V(0));
  let t9 = trig(t8, V(1));
  let t10 = tangent(t9);
  let t11 = (V(1) / (V(1) + exponential(-t10)));
  let t12 = positive_part(t11);
  let t13 = (t12 / (V(1) + exp(-t12)));
  let t14 = (V(0.5) * t13 * erfc(t13 * V(-0.70710678118654752)));
  let t15 = (t14 / (V(1) + exp(V(-1.702) * t14)));
  let t16 = erf(t15);
  let t17 = erfc(t16);
  let t18 = (max(t17, V(0)) + log_beside_one(exponential(-abs(t17))));
  let t19 = floor(t18);
  return t19;
}

override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var u = id.x; u < P.n; u += groups.x * WG) { let i = u * 4u; out[u] = vec4<f32>(value(i)); }
}
