import type { DType } from '../op.ts'

/** How four random fractions, multiples of 2^-24 in [0, 1), become four numbers of a distribution. */
export interface Distribution {
  /** WGSL of `fn fractions(words: vec4u) -> vec4f` and of `fn values(u: vec4f) -> vec4f`, whose result is yet to be rounded to the dtype. */
  readonly wgsl: (dtype: DType) => string
  /** The same in float64. */
  readonly values: (u: readonly number[], dtype: DType) => readonly number[]
}

const fractions = /* wgsl */ `
fn fractions(words: vec4u) -> vec4f { return vec4f(words >> vec4u(8u)) * 0x1p-24; }
`

/**
 * Uniform in [0, 1). Rounded to the nearest, the halves would hold a 1 for every 4,096 numbers; they are rounded down, so that a
 * half is below another as often as the fraction is. Ten bits behind the first are a half's; what is too small for
 * that has no more.
 */
export const uniform: Distribution = {
  wgsl: (dtype) => /* wgsl */ `${fractions}
fn values(u: vec4f) -> vec4f { return ${dtype === 'f16' ? 'bitcast<vec4f>(bitcast<vec4u>(u) & vec4u(0xffffe000u))' : 'u'}; }
`,
  values: (u, dtype) => (dtype === 'f16' ? u.map(halfBelow) : u),
}

/** The largest half that is not above a number in [0, 1). */
function halfBelow(x: number): number {
  const spacing = x === 0 ? 1 : Math.max(2 ** -24, 2 ** (Math.floor(Math.log2(x)) - 10))
  return Math.floor(x / spacing) * spacing
}

/*
 * WGSL lets log, sin and cos err by 2^-21 and 2^-11 absolute, which would make noise depend on the adapter. Here x = 1 − u
 * and u are 24-bit fractions, so their reduction is exact and short series reach f32 accuracy everywhere:
 * ln x = e·ln 2 + 2·artanh((m − 1)/(m + 1)) with x = m·2^e and m within a factor √2 of 1; and 4u = q + f, |f| ≤ 1/2,
 * turns the angle into q quarter turns and a remainder of at most π/4.
 */
const boxMuller = /* wgsl */ `
fn radius(u: f32) -> f32 {
  let bits = bitcast<u32>(1.0 - u) + (0x3f800000u - 0x3f3504f3u);
  let m = bitcast<f32>((bits & 0x7fffffu) + 0x3f3504f3u);
  let s = (m - 1.0) / (m + 1.0);
  let q = s * s;
  let near = 2.0 * s * (1.0 + q * (0.33333333 + q * (0.2 + q * (0.14285714 + q * 0.11111111))));
  return sqrt(max(0.0, -2.0 * (f32(i32(bits >> 23u) - 127) * 0.69314718 + near)));
}
fn direction(u: f32) -> vec2f {
  let turns = floor(4.0 * u + 0.5);
  let a = 1.57079633 * (4.0 * u - turns);
  let q = a * a;
  let c = 1.0 + q * (-0.5 + q * (0.041666667 + q * (-0.0013888889 + q * 0.0000248016)));
  let s = a * (1.0 + q * (-0.16666667 + q * (0.0083333333 + q * (-0.00019841270 + q * 0.0000027557))));
  let quarter = u32(turns) & 3u;
  let swapped = select(vec2f(c, s), vec2f(-s, c), (quarter & 1u) == 1u);
  return select(swapped, -swapped, quarter >= 2u);
}
fn values(u: vec4f) -> vec4f { return vec4f(radius(u.x) * direction(u.y), radius(u.z) * direction(u.w)); }
`

/** Standard normal by Box–Muller: r = √(−2 ln(1 − u₀)), θ = 2π·u₁, elements r cos θ and r sin θ; so from u₂ and u₃. */
export const normal: Distribution = {
  wgsl: () => `${fractions}${boxMuller}`,
  values: ([u0 = 0, u1 = 0, u2 = 0, u3 = 0]) => [[u0, u1], [u2, u3]].flatMap(([u = 0, turn = 0]) => {
    const r = Math.sqrt(-2 * Math.log1p(-u))
    return [r * Math.cos(2 * Math.PI * turn), r * Math.sin(2 * Math.PI * turn)]
  }),
}
