import type { Choice, DType, Maths, Op, Pointwise } from '../op.ts'
import { pointwise, type Rule } from './pointwise.ts'

/*
 * One line an operation: WGSL, float64 reference, and the cotangents of its arguments, written with `m` (the same
 * operations on whatever carries the gradient). `V` is f32 or vec4f, so one text serves scalar and vector kernels.
 */

const none: Rule = () => []
/** For operations that integers do not have. */
const real = { dtypes: ['f32', 'f16'] } satisfies { dtypes: DType[] }
/** For operations that need a sign. */
const signed = { dtypes: ['f32', 'f16', 'i32'] } satisfies { dtypes: DType[] }

/** a + b */
export const add: Op = pointwise('add', 2, (a, b) => `(${a} + ${b})`, (a, b) => a + b, (_m, g) => [g, g])
/** a − b */
export const sub: Op = pointwise('sub', 2, (a, b) => `(${a} - ${b})`, (a, b) => a - b, (m, g) => [g, m.neg(g)])
/** a · b */
export const mul: Op = pointwise('mul', 2, (a, b) => `(${a} * ${b})`, (a, b) => a * b, (m, g, [a, b]) => [m.mul(g, b), m.mul(g, a)],
  { whole: { f: Math.imul } })
/** a / b; of integers cut towards 0, and a itself where b is 0, as WGSL has it. */
export const div: Op = pointwise('div', 2, (a, b) => `(${a} / ${b})`, (a, b) => a / b,
  (m, g, [, b], y) => [m.div(g, b), m.neg(m.div(m.mul(g, y), b))], { whole: { f: (a, b) => (b === 0 ? a : Math.trunc(a / b)) } })
/** Larger of a and b, NaN where either is; where they are equal the gradient goes to a. */
export const maximum: Op = choosing('maximum', 2, (a, b) => `larger(${a}, ${b})`, Math.max,
  (m, a, b) => [{ by: m.lt(a, b), holds: false }, { by: m.ge(a, b), holds: false }], { whole: { wgsl: (a, b) => `max(${a}, ${b})` } })
/** Smaller of a and b, NaN where either is; where they are equal the gradient goes to a. */
export const minimum: Op = choosing('minimum', 2, (a, b) => `smaller(${a}, ${b})`, Math.min,
  (m, a, b) => [{ by: m.gt(a, b), holds: false }, { by: m.le(a, b), holds: false }], { whole: { wgsl: (a, b) => `min(${a}, ${b})` } })
/** a to the power b, as C has it; of a negative base only whole powers are defined. */
export const pow: Op = pointwise('pow', 2, (a, b) => `power(${a}, ${b})`, power64,
  // A constant has no slope, nor has a positive power of 0 along its exponent, although the factors beside are infinite there.
  (m, g, [a, b], y) => [
    m.where(m.eq(b, 0), 0, m.mul(g, m.mul(b, m.pow(a, m.sub(b, 1))))),
    m.where(m.mul(m.eq(a, 0), m.ge(b, 0)), 0, m.mul(g, m.mul(y, m.log(a)))),
  ], real)
/** 1 where a < b, else 0. */
export const lt: Op = comparison('lt', '<', (a, b) => a < b)
/** 1 where a ≤ b, else 0. */
export const le: Op = comparison('le', '<=', (a, b) => a <= b)
/** 1 where a > b, else 0. */
export const gt: Op = comparison('gt', '>', (a, b) => a > b)
/** 1 where a ≥ b, else 0. */
export const ge: Op = comparison('ge', '>=', (a, b) => a >= b)
/** 1 where a = b, else 0; of a NaN with itself too. */
export const eq: Op = comparison('eq', '==', (a, b) => a === b)
/** a where c ≠ 0, else b; a where c is NaN. */
export const where: Op = choosing('where', 3, (c, a, b) => `select(${b}, ${a}, (bitcast<VU>(${c}) << VU(1u)) != VU(0u))`, (c, a, b) => (c !== 0 ? a : b),
  (_m, c) => [undefined, { by: c, holds: true }, { by: c, holds: false }], { whole: { wgsl: (c, a, b) => `select(${b}, ${a}, ${c} != V(0))` } })

/** −x */
export const neg: Op = pointwise('neg', 1, (x) => `(-${x})`, (x) => -x, (m, g) => [m.neg(g)], signed)
/** |x|, with gradient 0 at 0. */
export const abs: Op = pointwise('abs', 1, (x) => `abs(${x})`, Math.abs, (m, g, [x]) => [m.mul(g, m.sign(x))])
/** −1, 0 or 1, and NaN of NaN. */
export const sign: Op = pointwise('sign', 1, (x) => `direction(${x})`, Math.sign, none, { ...signed, whole: { wgsl: (x) => `sign(${x})` } })
/** e^x */
export const exp: Op = pointwise('exp', 1, (x) => `exponential(${x})`, Math.exp, (m, g, _, y) => [m.mul(g, y)], real)
/** Natural logarithm. */
export const log: Op = pointwise('log', 1, (x) => `logarithm(${x})`, Math.log, (m, g, [x]) => [m.div(g, x)], real)
/** √x */
export const sqrt: Op = pointwise('sqrt', 1, (x) => `sqrt(${x})`, Math.sqrt, (m, g, _, y) => [m.div(m.mul(g, 0.5), y)], real)
/** 1/√x */
export const rsqrt: Op = pointwise('rsqrt', 1, (x) => `inverseSqrt(${x})`, (x) => 1 / Math.sqrt(x),
  (m, g, [x], y) => [m.div(m.mul(g, m.mul(y, -0.5)), x)], real)
/** x² */
export const square: Op = pointwise('square', 1, (x) => `(${x} * ${x})`, (x) => x * x, (m, g, [x]) => [m.mul(g, m.mul(x, 2))])
/** sin x */
export const sin: Op = pointwise('sin', 1, (x) => `trig(${x}, V(0))`, Math.sin, (m, g, [x]) => [m.mul(g, m.cos(x))], real)
/** cos x */
export const cos: Op = pointwise('cos', 1, (x) => `trig(${x}, V(1))`, Math.cos, (m, g, [x]) => [m.neg(m.mul(g, m.sin(x)))], real)
/** tanh x; its gradient 1 − tanh² x keeps no digits beyond |x| of 8, as torch's. */
export const tanh: Op = pointwise('tanh', 1, (x) => `tangent(${x})`, Math.tanh,
  (m, g, _, y) => [m.mul(g, m.sub(1, m.square(y)))], real)
/** 1 / (1 + e^−x); what is left to 1 is sigmoid(−x), to all its digits. */
export const sigmoid: Op = pointwise('sigmoid', 1, (x) => `(V(1) / (V(1) + exponential(-${x})))`, (x) => 1 / (1 + Math.exp(-x)),
  (m, g, [x], y) => [m.mul(g, m.mul(y, m.sigmoid(m.neg(x))))], real)
/** max(x, 0) */
export const relu: Op = choosing('relu', 1, (x) => `positive_part(${x})`, (x) => Math.max(x, 0), (m, x) => [{ by: m.le(x, 0), holds: false }],
  { whole: { wgsl: (x) => `max(${x}, V(0))` } })
/** x · sigmoid(x) (Elfwing et al. 2017, eq. 1) */
export const silu: Op = pointwise('silu', 1, (x) => `(${x} / (V(1) + exp(-${x})))`, (x) => x / (1 + Math.exp(-x)), (m, g, [x]) => [m.siluGrad(g, x)], real)
/** Cotangent of {@link silu}: g · s · (1 + x·(1 − s)), s = sigmoid(x). */
export const siluGrad: Op = pointwise('siluGrad', 2, (g, x) => `silu_grad(${g}, ${x})`,
  (g, x) => { const s = 1 / (1 + Math.exp(-x)); return g * s * (1 + x * (1 - s)) },
  (m, d, [g, x]) => {
    const s = m.sigmoid(x)
    const slope = m.mul(s, m.sub(1, s))
    return [m.siluGrad(d, x), m.mul(d, m.mul(g, m.mul(slope, m.add(m.mul(x, m.sub(1, m.mul(s, 2))), 2))))]
  }, real)
/** Exact GELU, x·Φ(x) (Hendrycks & Gimpel 2016). */
export const gelu: Op = pointwise('gelu', 1, (x) => `(V(0.5) * ${x} * erfc(${x} * V(-0.70710678118654752)))`,
  (x) => 0.5 * x * erfc64(-x * Math.SQRT1_2),
  (m, g, [x]) => [m.mul(g, m.add(m.mul(m.erfc(m.mul(x, -Math.SQRT1_2)), 0.5), m.mul(x, m.mul(m.exp(m.mul(m.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI)))))],
  real)
/** CLIP's x · sigmoid(1.702 x). */
export const quickGelu: Op = pointwise('quickGelu', 1, (x) => `(${x} / (V(1) + exp(V(-1.702) * ${x})))`, (x) => x / (1 + Math.exp(-1.702 * x)),
  (m, g, [x]) => {
    const s = m.sigmoid(m.mul(x, 1.702))
    return [m.mul(g, m.add(s, m.mul(m.mul(m.mul(x, s), m.sigmoid(m.mul(x, -1.702))), 1.702)))]
  }, real)
/** Error function, within 2e-7 of exact in f32. */
export const erf: Op = pointwise('erf', 1, (x) => `erf(${x})`, erf64,
  (m, g, [x]) => [m.mul(g, m.mul(m.exp(m.neg(m.square(x))), 2 / Math.sqrt(Math.PI)))], real)
/** 1 − erf(x), to all its digits where it is small. */
export const erfc: Op = pointwise('erfc', 1, (x) => `erfc(${x})`, erfc64,
  (m, g, [x]) => [m.mul(g, m.mul(m.exp(m.neg(m.square(x))), -2 / Math.sqrt(Math.PI)))], real)
/** log(1 + e^x), without overflow, and to all its digits where it is small. */
export const softplus: Op = pointwise('softplus', 1, (x) => `(max(${x}, V(0)) + log_beside_one(exponential(-abs(${x}))))`,
  (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), (m, g, [x]) => [m.mul(g, m.sigmoid(x))], real)
/** Largest integer not above x; its gradient is 0. */
export const floor: Op = pointwise('floor', 1, (x) => `floor(${x})`, Math.floor, none, real)

/** Every elementwise operation by name. */
export const elementwise: Readonly<Record<string, Op>> = {
  add, sub, mul, div, maximum, minimum, pow, lt, le, gt, ge, eq, where, neg, abs, sign, exp, log, sqrt, rsqrt, square,
  sin, cos, tanh, sigmoid, relu, silu, siluGrad, gelu, quickGelu, erf, erfc, softplus, floor,
}

/** An op that is 1 where the comparison holds, else 0, and 0 where either operand is NaN. */
function comparison(name: string, sign: string, holds: (a: number, b: number) => boolean): Op {
  return pointwise(name, 2, (a, b) => `select(V(0), V(1), (${a} ${sign} ${b}) & ordered(${a}, ${b}))`, (a, b) => +holds(a, b), none,
    { whole: { wgsl: (a, b) => `select(V(0), V(1), ${a} ${sign} ${b})` } })
}

/** An op that gives one of its inputs: its gradient goes to that one, and what is infinite elsewhere does not meet a 0. */
function choosing(
  name: string,
  arity: number,
  wgsl: Pointwise['wgsl'],
  f: Pointwise['f'],
  choices: <T>(m: Maths<T>, a: T, b: T) => readonly (Choice<T> | undefined)[],
  options: Pick<Pointwise, 'whole'>,
): Op {
  const chooses: NonNullable<Op['chooses']> = (m, [a, b = a]) => (a === undefined || b === undefined ? [] : choices(m, a, b))
  const rule: Rule = (m, g, inputs) => chooses(m, inputs).map((c) => c && (c.holds ? m.where(c.by, g, 0) : m.where(c.by, 0, g)))
  return { ...pointwise(name, arity, wgsl, f, rule, options), chooses }
}

/** C's pow, which JavaScript's is but for powers of 1 and −1. */
function power64(a: number, b: number): number {
  return a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b
}

/** erf by its Maclaurin series below 2 and by {@link erfc64} above; both reach float64 precision. */
function erf64(x: number): number {
  if (!(Math.abs(x) < 2)) return x < 0 ? erfc64(-x) - 1 : 1 - erfc64(x)
  let term = x
  let sum = x
  for (let n = 1; n < 60; n++) {
    term *= -x * x / n
    if (term !== 0) sum += term / (2 * n + 1)
  }
  return 2 / Math.sqrt(Math.PI) * sum
}

/** erfc by its continued fraction from 2 on, which keeps its digits however small it is. */
function erfc64(x: number): number {
  if (x < 2) return x <= -2 ? 2 - erfc64(-x) : 1 - erf64(x)
  let f = x
  for (let k = 80; k > 0; k--) f = x + k / 2 / f
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / f
}
