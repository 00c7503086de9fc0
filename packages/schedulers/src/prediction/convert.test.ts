import fc from 'fast-check'
import { expect, test } from 'vitest'
import { float32Linear } from '../linear/index.ts'
import { convertPrediction } from './convert.ts'
import type { ModelPrediction } from './index.ts'

const kinds: readonly ModelPrediction[] = ['epsilon', 'v_prediction', 'sample', 'flow_prediction']

/** Each kind of prediction of one x₀ and ε, written out. */
function truth(kind: ModelPrediction, x0: number, noise: number, a: number, s: number): number {
  if (kind === 'epsilon') return noise
  if (kind === 'sample') return x0
  return kind === 'flow_prediction' ? noise - x0 : (a * noise - s * x0) / Math.hypot(a, s)
}

const value = fc.double({ min: -2, max: 2, noNaN: true })
const share = fc.double({ min: 0.1, max: 3, noNaN: true })

test.each(kinds.flatMap((from) => kinds.map((to) => [from, to] as const)))('a prediction of %s becomes that of %s', (from, to) => {
  fc.assert(
    fc.property(value, value, share, share, (x0, noise, a, s) => {
      const given = Float32Array.of(truth(from, x0, noise, a, s))
      const sample = Float32Array.of(a * x0 + s * noise)
      const made = convertPrediction(float32Linear, { from, to }, { signal: a, noise: s }, given, sample)
      // Float32 inputs up to 12, over a determinant of at least 0.1.
      expect(Math.abs(made[0]! - truth(to, x0, noise, a, s))).toBeLessThan(1e-4)
    }),
  )
})

test('where a prediction and the sample say the same, only the prediction itself is left', () => {
  const x = Float32Array.of(1)
  const pureNoise = { signal: 0, noise: 1 }
  expect(() => convertPrediction(float32Linear, { from: 'epsilon', to: 'sample' }, pureNoise, x, x)).toThrow(/'epsilon' at 0 and 1/)
  expect(() => convertPrediction(float32Linear, { from: 'sample', to: 'epsilon' }, { signal: 1, noise: 0 }, x, x)).toThrow(/'sample'/)
  expect(convertPrediction(float32Linear, { from: 'epsilon', to: 'epsilon' }, pureNoise, x, x)).toBe(x)
  expect(convertPrediction(float32Linear, { from: 'v_prediction', to: 'sample' }, pureNoise, x, x)[0]).toBe(-1)
})
