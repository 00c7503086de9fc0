import { describe, expect, test } from 'vitest'
import { DTypeError, ShapeError } from '../errors.ts'
import type { Op, RefTensor, Spec } from '../op.ts'
import { type CaseInput, noise, type Specials, testOp } from '../testing.ts'
import { adamw, adamwHyper } from './adamw.ts'
import { ema } from './ema.ts'
import { sgd } from './sgd.ts'

const packed = (values: ArrayLike<number>): CaseInput => ({ shape: [values.length], dtype: 'f32', values: (i) => values[i] ?? 0 })
const state = (shape: number[]): CaseInput => ({ shape, dtype: 'f32' })
const positive = (shape: number[]): CaseInput => ({ shape, dtype: 'f32', values: (i) => 0.01 + (i % 89) / 89 })
const zeros = (shape: number[]): CaseInput => ({ shape, dtype: 'f32', values: () => 0 })
const specs = (...dtypes: Spec['dtype'][]): Spec[] => dtypes.map((dtype) => ({ shape: [2, 3], dtype }))
const of = (...values: number[]): RefTensor => ({ shape: [values.length], dtype: 'f32', data: Float64Array.from(values) })

// 66,000 elements take every lane of a software adapter's 64 workgroups round its loop again and again.
const shapes = [[1], [3, 5], [8, 4], [66_001], [60, 1100]]
// More elements than 65,535 workgroups of 64 hold.
const many = [4_200_001]
// Parameters and states are some 1 in size, and each is a handful of f32 roundings.
const tolerance = { f32: 5e-7, f16: 2 ** -11 }

// The moments are f32, as torch's: what they take in overflows there, and an infinite second moment gives no step.
const overflows = (...inputs: number[]): Pick<Specials, 'exceptions'> => ({
  exceptions: [{ reason: 'squares and products on the way are beyond f32', when: (value = 0, input = 0) => inputs.includes(input) && Math.abs(value) > 1e38 && Number.isFinite(value) }],
})

const hyper = packed(adamwHyper({ lr: 0.01, weightDecay: 0.1, gradScale: 0.5 }, 3))
testOp(adamw, {
  tolerance,
  specials: overflows(1),
  cases: [
    ...shapes.map((s) => ({ inputs: [s, s, state(s), positive(s), hyper], attrs: {} })),
    { name: 'in several rounds of 65,535 workgroups', inputs: [many, many, state(many), positive(many), hyper], attrs: {}, slow: true },
    { name: 'first step', inputs: [[7], [7], zeros([7]), zeros([7]), packed(adamwHyper({ lr: 0.5 }, 1))], attrs: {} },
  ],
  errors: [
    { name: 'a gradient of another shape', inputs: [...specs('f32'), { shape: [3, 2], dtype: 'f32' }, ...specs('f32', 'f32'), { shape: [8], dtype: 'f32' }], attrs: {}, error: ShapeError },
    { name: 'too few hyperparameters', inputs: [...specs('f32', 'f32', 'f32', 'f32'), { shape: [7], dtype: 'f32' }], attrs: {}, error: ShapeError },
    { name: 'a gradient of another dtype', inputs: [...specs('f16', 'f32', 'f32', 'f32'), { shape: [8], dtype: 'f32' }], attrs: {}, error: DTypeError },
    { name: 'moments in f16', inputs: [...specs('f16', 'f16', 'f16', 'f16'), { shape: [8], dtype: 'f32' }], attrs: {}, error: DTypeError },
    { name: 'integer parameters', inputs: [...specs('i32', 'i32', 'f32', 'f32'), { shape: [8], dtype: 'f32' }], attrs: {}, error: DTypeError },
  ],
})

for (const nesterov of [false, true]) {
  testOp(sgd, {
    tolerance,
    // The gradient and the hyperparameters.
    specials: overflows(1, 3),
    cases: [...shapes, many].map((s) => ({ inputs: [s, s, state(s), packed([0.1, 0.9, 0.01, 2])], attrs: { nesterov }, slow: s === many })),
    errors: [{ name: 'momentum in f16', inputs: [...specs('f16', 'f16', 'f16'), { shape: [4], dtype: 'f32' }], attrs: { nesterov }, error: DTypeError }],
  })
}

testOp(ema, {
  tolerance,
  cases: [...shapes, many].map((s) => ({ inputs: [state(s), s, packed([0.999])], attrs: {}, slow: s === many })),
  errors: [
    { name: 'an average in f16', inputs: [...specs('f16', 'f16'), { shape: [1], dtype: 'f32' }], attrs: {}, error: DTypeError },
    { name: 'another shape', inputs: [...specs('f32'), { shape: [6], dtype: 'f32' }, { shape: [1], dtype: 'f32' }], attrs: {}, error: ShapeError },
  ],
})

/** Steps an update rule on f(p) = a·p²/2, whose gradient is a·p, from p = 1 and states 0. */
function descend<A extends Readonly<Record<string, unknown>>>(op: Op<A>, attrs: A, states: number, hyperAt: (step: number) => RefTensor, steps: number, a: number): number {
  let p = of(1)
  let kept = Array.from({ length: states }, () => of(0))
  for (let t = 1; t <= steps; t++) {
    const [next, ...rest] = op.reference([p, of(a * (p.data[0] ?? 0)), ...kept, hyperAt(t)], attrs) as [RefTensor, ...RefTensor[]]
    p = next
    kept = rest
  }
  return p.data[0] ?? 0
}

describe.skipIf(globalThis.kernelTestHost)('adamw', () => {
  test('moves every parameter by lr against its gradient in the first step, whatever the gradient’s size', () => {
    const g = [1e-3, -2, 50]
    const out = adamw.reference([of(1, 1, 1), of(...g), of(0, 0, 0), of(0, 0, 0), of(...adamwHyper({ lr: 0.25, eps: 0, weightDecay: 0 }, 1))], {})
    // The hyperparameters are f32.
    g.forEach((d, i) => { expect(out[0]?.data[i]).toBeCloseTo(1 - 0.25 * Math.sign(d), 7) })
  })

  test('keeps that step under the usual β₂, which f32 cannot hold', () => {
    const { data } = adamw.reference([of(0), of(3), of(0), of(0), of(...adamwHyper({ lr: 1, weightDecay: 0 }, 1))], {})[0] as RefTensor
    expect(data[0]).toBeCloseTo(-1, 6)
  })

  test('decays weights without the gradient’s help, by lr · weightDecay', () => {
    const out = adamw.reference([of(2), of(0), of(0), of(0), of(...adamwHyper({ lr: 0.5, weightDecay: 0.25 }, 1))], {})
    expect(out[0]?.data[0]).toBe(2 * (1 - 0.125))
  })

  test('does not care about the scale of the objective', () => {
    const run = (a: number): number => descend(adamw, {}, 2, (t) => of(...adamwHyper({ lr: 0.01, eps: 0 }, t)), 20, a)
    expect(run(1000)).toBeCloseTo(run(1), 12)
  })
})

describe.skipIf(globalThis.kernelTestHost)('sgd', () => {
  // With momentum the iterates on a quadratic obey p'' = (1 + μ − lr·a)·p' − μ·p.
  test('obeys the recurrence of heavy-ball momentum on a quadratic', () => {
    const [lr, mu, a] = [0.1, 0.75, 2]
    const at = (steps: number): number => descend(sgd, { nesterov: false }, 1, () => of(lr, mu, 0, 1), steps, a)
    for (let t = 0; t < 10; t++) expect(at(t + 2)).toBeCloseTo((1 + mu - lr * a) * at(t + 1) - mu * at(t), 12)
  })

  // torch keeps the parameter that has already looked ahead: p'' = (1 + μ)(1 − lr·a)·p' − μ·(1 − lr·a)·p.
  test('obeys the recurrence of Nesterov momentum on a quadratic', () => {
    const [lr, mu, a] = [0.1, 0.75, 2]
    const at = (steps: number): number => descend(sgd, { nesterov: true }, 1, () => of(lr, mu, 0, 1), steps, a)
    for (let t = 0; t < 10; t++) {
      expect(at(t + 2)).toBeCloseTo((1 + mu) * (1 - lr * a) * at(t + 1) - mu * (1 - lr * a) * at(t), 12)
    }
  })
})

describe.skipIf(globalThis.kernelTestHost)('ema', () => {
  test('approaches a constant parameter by the factor decay each step', () => {
    let e: RefTensor = { shape: [5], dtype: 'f32', data: noise(5, 1) }
    const start = e.data
    for (let t = 0; t < 3; t++) e = ema.reference([e, of(2, 2, 2, 2, 2), of(0.75)], {})[0] as RefTensor
    e.data.forEach((x, i) => { expect(x).toBeCloseTo(2 + 0.75 ** 3 * ((start[i] ?? 0) - 2), 12) })
  })
})
