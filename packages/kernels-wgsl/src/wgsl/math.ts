import { f32Bits } from '../op.ts'

/**
 * WGSL helper functions of elementwise expressions, by name; `V` is f32 or vec4f.
 * `erf`: Abramowitz & Stegun 7.1.26 reaches only 1.5e-7 absolute but loses relative accuracy near 0, so |x| < 1 uses the
 * Maclaurin series instead.
 */
export const mathHelpers: Readonly<Record<string, string>> = {
  // sin(x + quarters·π/2): built-in sin and cos may be off by 2^-11. Cody-Waite reduction to [-π/4, π/4] with π/2 in three
  // parts, then the polynomials of Cephes (Moshier, sinf.c), within 1.2e-7 for |x| up to some thousands.
  trig: /* wgsl */ `
fn trig(x: V, quarters: V) -> V {
  let k = round(x * V(0.63661977236758134));
  let r = ((x - k * V(1.5703125)) - k * V(4.837512969970703125e-4)) - k * V(7.549789948768648e-8);
  let q = k + quarters;
  let turn = q - V(4) * floor(q * V(0.25));
  let z = r * r;
  let sine = r + r * z * (V(-1.6666654611e-1) + z * (V(8.3321608736e-3) + z * V(-1.9515295891e-4)));
  let cosine = V(1) - V(0.5) * z + z * z * (V(4.166664568298827e-2) + z * (V(-1.388731625493765e-3) + z * V(2.443315711809948e-5)));
  let v = select(sine, cosine, (turn == V(1)) | (turn == V(3)));
  return select(v, -v, turn >= V(2));
}
`,
  silu_grad: /* wgsl */ `
fn silu_grad(g: V, x: V) -> V { let s = V(1) / (V(1) + exp(-x)); return g * s * (V(1) + x * (V(1) - s)); }
`,
  // WGSL's pow is defined for positive bases only, and 0^0 comes out as a NaN.
  power: /* wgsl */ `
fn power(a: V, b: V) -> V {
  let r = pow(abs(a), b);
  let odd = fract(b * V(0.5)) != V(0);
  return select(select(r, -r, odd & (a < V(0))), V(1), b == V(0));
}
`,
  erf: /* wgsl */ `
fn erf(x: V) -> V {
  let q = x * x;
  let near = x * V(1.1283791670955126) * (V(1) + q * (V(-0.33333333333) + q * (V(0.1) + q * (V(-0.02380952381) + q * (V(0.00462962963)
    + q * (V(-0.00075757576) + q * (V(0.00010683761) + q * V(-0.00001322751))))))));
  let a = abs(x);
  let t = V(1) / (V(1) + V(0.3275911) * a);
  let far = V(1) - t * (V(0.254829592) + t * (V(-0.284496736) + t * (V(1.421413741) + t * (V(-1.453152027) + t * V(1.061405429))))) * exp(-q);
  return select(sign(x) * far, near, a < V(1));
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
