import { ShapeError } from '../errors.ts'
import { type OpCase, type Specials, testOp } from '../testing.ts'
import { cast, type CastAttrs } from './cast.ts'
import { add, cos, elementwise, sin } from './table.ts'

// Away from the poles and kinks of each function.
const positive = [0.2, 2] as const
const ranges: Record<string, readonly [number, number]> = { div: positive, pow: positive, log: positive, sqrt: positive, rsqrt: positive }

/*
 * Largest errors in units in the last place of f32. Sums and products round once. Adapters may take quotients 2.5 and roots 2 off,
 * and e^x 3 + 2|x| (WGSL, "Accuracy of floating-point operations"): its argument is rounded as a multiple of log 2, so what
 * is made of exponentials has their error and a few roundings. Lavapipe and SwiftShader stay within.
 */
const exponential = (more: number, rate = 1) => (x: number): number => more + 2 * rate * Math.abs(x)
const ulp: Readonly<Record<string, Specials['ulp']>> = {
  div: 2.5, log: 3, rsqrt: 2, sin: 2, cos: 2,
  exp: exponential(3),
  sigmoid: exponential(4), silu: exponential(5), softplus: (x) => exponential(4)(Math.min(x, 0)),
  siluGrad: (_, x = 0) => exponential(6)(x),
  quickGelu: exponential(5, 1.702),
  // Their exponentials are of squares, whose own rounding counts as many times as they are large.
  erfc: (x) => 6 + 3 * x * x * +(x > 0), gelu: (x) => 5 + 1.5 * x * x * +(x < 0),
  erf: 3, tanh: 3,
  // 2^(b·log₂ a)
  pow: (a, b = 0) => 4 + 2 * Math.abs(b * Math.log2(Math.abs(a))),
}
const tiny = { reason: 'a sigmoid or product below the normal numbers of f32 is 0', when: (g: number, x = 0) => x < -87 || Math.abs(g) < 2 ** -125 }
const huge = { reason: '2^128 is beyond f32, and b·log₂ a is rounded', when: (a: number, b = 0) => b * Math.log2(Math.abs(a)) > 127.99 }
const zeros = { reason: 'of two zeros WGSL lets either be the larger', when: (a: number, b = 0) => a === 0 && b === 0 }
const exceptions: Readonly<Record<string, Specials['exceptions']>> = { maximum: [zeros], minimum: [zeros], sign: [{ reason: 'the sign of a zero is 0', when: (x) => Object.is(x, -0) }], siluGrad: [tiny], pow: [huge], sin: [{ reason: 'what is subtracted from −0 leaves 0', when: (x) => Object.is(x, -0) }] }

for (const op of Object.values(elementwise)) {
  const arity = op.pointwise?.arity ?? 1
  const range = ranges[op.name] ?? [-2.5, 2.5]
  const shapes = (...list: number[][]): number[][] => list.slice(0, arity)
  testOp(op, {
    tolerance: { f32: 4e-6 },
    specials: { ulp: ulp[op.name], exceptions: exceptions[op.name] },
    cases: [
      { inputs: shapes([1], [1], [1]), attrs: {}, range },
      { inputs: shapes([3, 5], [3, 5], [3, 5]), attrs: {}, range },
      { inputs: shapes([2, 3, 8], [3, 1], [1, 8]), attrs: {}, range },
      ...(op === sin || op === cos ? [{ name: 'arguments of a timestep embedding', inputs: [[3, 40]], attrs: {}, range: [-1000, 1000] as const }] : []),
      ...(op === add ? [{ name: 'more elements than 65,535 workgroups hold', inputs: [[4_300_001], [1]], attrs: {} }] : []),
    ],
    errors: arity > 1 ? [{ name: 'shapes do not broadcast', inputs: [2, 3, 4].slice(0, arity).map((n) => ({ shape: [n], dtype: 'f32' })), attrs: {}, error: ShapeError }] : [],
  })
}
const fractions = { shape: [7], values: (i: number) => i / 8 }
const casts: readonly OpCase<CastAttrs>[] = [
  { inputs: [[5]], attrs: { dtype: 'i32' }, range: [-9, 9] },
  { inputs: [[5]], attrs: { dtype: 'u32' }, range: [0, 9] },
  { inputs: [{ shape: [5], dtype: 'i32', values: (i) => i - 2 }], attrs: { dtype: 'f32' } },
  { inputs: [{ shape: [5], dtype: 'i32', values: (i) => i - 2 }], attrs: { dtype: 'u32' } },
  { inputs: [{ shape: [6], dtype: 'u32', values: (i) => i }], attrs: { dtype: 'f32' } },
  { inputs: [{ ...fractions, dtype: 'f16' }], attrs: { dtype: 'f32' } },
  { inputs: [{ ...fractions, dtype: 'f32' }], attrs: { dtype: 'f16' } },
  { inputs: [{ ...fractions, dtype: 'bf16' }], attrs: { dtype: 'f32' } },
  { inputs: [{ ...fractions, dtype: 'f32' }], attrs: { dtype: 'bf16' } },
]
testOp(cast, { exact: true, cases: casts, specials: { cases: casts } })
