import { f32Bits } from '../op.ts'

/**
 * WGSL helper functions of elementwise expressions, by name, each before those that call it; `V` is f32 or vec4f, `VI`,
 * `VU` and `VB` are as wide. WGSL lets `min`, `max`, `clamp`, `sign` and comparisons treat a NaN as they like, and compilers may take it
 * that there is none, so whether a number is one is decided by its bits, as signed integers: vectors of those are compared at once.
 */
export const mathHelpers: Readonly<Record<string, string>> = {
  is_nan: /* wgsl */ `
fn is_nan(x: V) -> VB { return (bitcast<VI>(x) & VI(0x7fffffff)) > VI(0x7f800000); }
`,
  // Whether neither is a NaN.
  ordered: /* wgsl */ `
fn ordered(a: V, b: V) -> VB { return max(bitcast<VI>(a) & VI(0x7fffffff), bitcast<VI>(b) & VI(0x7fffffff)) <= VI(0x7f800000); }
`,
  // Sums carry a NaN on.
  larger: /* wgsl */ `
fn larger(a: V, b: V) -> V { return select(a + b, max(a, b), ordered(a, b)); }
`,
  smaller: /* wgsl */ `
fn smaller(a: V, b: V) -> V { return select(a + b, min(a, b), ordered(a, b)); }
`,
  // Zero in place of all from -0 to -∞, whose bits are the lowest integers; negative NaNs stand above them.
  positive_part: /* wgsl */ `
fn positive_part(x: V) -> V { return select(x, V(0), bitcast<VI>(x) <= VI(-0x800000)); }
`,
  direction: /* wgsl */ `
fn direction(x: V) -> V { return select(sign(x), x, is_nan(x)); }
`,
  // SwiftShader's exp(NaN) is ∞.
  exponential: /* wgsl */ `
fn exponential(x: V) -> V { return select(exp(x), x, is_nan(x)); }
`,
  // Built-in log may be off by 2^-21 near 1, and SwiftShader's is -88 at 0 and knows no negative numbers. With x = m·2^e and m within
  // a factor √2 of 1: e·ln 2 + 2·artanh((m − 1)/(m + 1)). Numbers too small for the normal form are read as whole multiples of 2^-149.
  logarithm: /* wgsl */ `
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
`,
  // Quarter turns, modulo 4, and what is left of x in turns of π/2, for |x| of 1024 or more (Payne and Hanek 1983): of the bits of 2/π
  // the 96 that decide on them, times the significand. Bits before give whole turns, and those behind too little.
  far_turns: /* wgsl */ `
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
`,
  // sin(x + quarters·π/2): built-in sin and cos may be off by 2^-11. Cody-Waite reduction to [-π/4, π/4] with π/2 in three
  // parts while those are exact, then the polynomials of Cephes (Moshier, sinf.c).
  trig: /* wgsl */ `
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
`,
  // Built-in tanh subtracts exponentials, which leaves no digit near 0 (Moshier's Cephes, tanhf.c).
  tangent: /* wgsl */ `
fn tangent(x: V) -> V {
  let a = abs(x);
  let z = x * x;
  let near = x * (V(1) + z * (V(-3.33332819422e-1) + z * (V(1.33314422036e-1) + z * (V(-5.37397155531e-2)
    + z * (V(2.06390887954e-2) + z * V(-5.70498872745e-3))))));
  let far = V(1) - V(2) / (exponential(a + a) + V(1));
  return select(select(far, -far, x < V(0)), near, a < V(0.625));
}
`,
  silu_grad: /* wgsl */ `
fn silu_grad(g: V, x: V) -> V { let s = V(1) / (V(1) + exp(-x)); return g * s * (V(1) + x * (V(1) - s)); }
`,
  // WGSL's pow is defined for positive bases only, and 0^0 comes out as a NaN. As C99 has it (annex F.9.4.4): whatever is raised to 0
  // is 1, and so is 1 to whatever power; of negative numbers only whole powers are defined, all large ones being even.
  power: /* wgsl */ `
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
`,
  // log(1 + u) of u from 0 to 1: 2·artanh(u / (2 + u)), whose series has a ratio of a ninth. 1 + u would keep no digit of a small u.
  log_beside_one: /* wgsl */ `
fn log_beside_one(u: V) -> V {
  let s = u / (V(2) + u);
  let q = s * s;
  return V(2) * s * (V(1) + q * (V(0.33333333) + q * (V(0.2) + q * (V(0.14285714) + q * (V(0.11111111) + q * (V(0.09090909) + q * V(0.07692308)))))));
}
`,
  // Chebyshev fit of Press et al., Numerical Recipes, section 6.2: within 1.2e-7 of the result itself, however small.
  erfc: /* wgsl */ `
fn erfc(x: V) -> V {
  let a = abs(x);
  let t = V(1) / (V(1) + V(0.5) * a);
  let tail = t * exp(V(-1.26551223) - a * a + t * (V(1.00002368) + t * (V(0.37409196) + t * (V(0.09678418) + t * (V(-0.18628806)
    + t * (V(0.27886807) + t * (V(-1.13520398) + t * (V(1.48851587) + t * (V(-0.82215223) + t * V(0.17087277))))))))));
  return select(tail, V(2) - tail, x < V(0));
}
`,
  // Beside 0, where 1 - erfc keeps no digit, the Maclaurin series.
  erf: /* wgsl */ `
fn erf(x: V) -> V {
  let q = x * x;
  let near = x * V(1.1283791670955126) * (V(1) + q * (V(-0.33333333333) + q * (V(0.1) + q * (V(-0.02380952381) + q * (V(0.00462962963)
    + q * (V(-0.00075757576) + q * (V(0.00010683761) + q * V(-0.00001322751))))))));
  let far = V(1) - erfc(abs(x));
  return select(select(far, -far, x < V(0)), near, abs(x) < V(1));
}
`,
}

/**
 * WGSL of `fn quotient(i: u32, d: u32, inverse: f32) -> u32`, i / d by the reciprocal of d and one correction: an integer
 * division of eight lanes takes llvmpipe some 60 ns, and GPUs have none in hardware. See {@link quotientFits}. `assemble` adds
 * it to texts that call it.
 */
export const quotient = /* wgsl */ `
fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}
`

/**
 * Whether {@link quotient} is exact for all i below n: i, the reciprocal and their product are each off by 2⁻²⁴ at most, so
 * the quotient by less than one.
 */
export function quotientFits(n: number, d: number): boolean {
  return n < 2 ** 31 && n / d < 2 ** 22
}

/** WGSL of `fn over(i: u32, d: u32, inverse: f32) -> u32`, i / d: by {@link quotient} if that is exact here. */
export function over(quick: boolean): string {
  return `fn over(i: u32, d: u32, inverse: f32) -> u32 { return ${quick ? 'quotient(i, d, inverse)' : 'i / d'}; }`
}

/**
 * Division of numbers below n by a uniform field: its WGSL, and the field that it takes beside, by name. Small texts whose
 * divisions are most of their time divide so.
 */
export function divider(field: string, d: number, n: number): { readonly over: (i: string) => string; readonly params: Readonly<Record<string, number>> } {
  const quick = quotientFits(n, d)
  return {
    over: (i) => (quick ? `quotient(${i}, P.${field}, P.${field}_inverse)` : `(${i}) / P.${field}`),
    params: quick ? { [`${field}_inverse: f32`]: f32Bits(1 / d) } : {},
  }
}
