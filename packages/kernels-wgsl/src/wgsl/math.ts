/**
 * WGSL helper functions of elementwise expressions, by name; `V` is f32 or vec4f.
 * `erf`: Abramowitz & Stegun 7.1.26 reaches only 1.5e-7 absolute but loses relative accuracy near 0, so |x| < 1 uses the
 * Maclaurin series instead.
 */
export const mathHelpers: Readonly<Record<string, string>> = {
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
