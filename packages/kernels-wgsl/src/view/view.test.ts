import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ShapeError } from '../errors.ts'
import type { Attrs, Op, RefTensor, Spec, View } from '../op.ts'
import { expand } from '../reduce/index.ts'
import { sizeOf } from '../shape.ts'
import { slice } from '../slice/index.ts'
import { adjointGap, noise, refCall, testOp } from '../testing.ts'
import { readView, viewOf } from './strided.ts'
import { after, permute, reshape, stopGradient } from './view.ts'

const spec = (...shape: number[]): Spec => ({ shape, dtype: 'f32' })
const random = (shape: readonly number[]): RefTensor => ({ shape, dtype: 'f32', data: noise(sizeOf(shape), 1) })

testOp(reshape, {
  cases: [
    { inputs: [[1]], attrs: { shape: [] } },
    { inputs: [[3, 5]], attrs: { shape: [5, 3] } },
    { inputs: [[2, 3, 4]], attrs: { shape: [6, 1, 4] } },
    { name: 'nothing', inputs: [[0, 3]], attrs: { shape: [2, 0] } },
    { name: 'integers', inputs: [{ shape: [6], dtype: 'u32', values: (i) => i }], attrs: { shape: [2, 3] } },
  ],
  errors: [
    { name: 'another number of elements', inputs: [spec(2, 3)], attrs: { shape: [5] }, error: ShapeError },
    { name: 'sizes that are negative', inputs: [spec(2, 3)], attrs: { shape: [-2, -3] }, error: ShapeError },
    { name: 'a fraction', inputs: [spec(2, 3)], attrs: { shape: [1.5, 4] }, error: ShapeError },
  ],
})

testOp(permute, {
  cases: [
    { inputs: [[]], attrs: { axes: [] } },
    { inputs: [[3, 5]], attrs: { axes: [1, 0] } },
    { inputs: [[2, 3, 4]], attrs: { axes: [2, 0, 1] } },
    { inputs: [[2, 3, 1, 4]], attrs: { axes: [0, 2, 3, 1] } },
    { name: 'integers', inputs: [{ shape: [2, 3], dtype: 'i32', values: (i) => -i }], attrs: { axes: [1, 0] } },
  ],
  errors: [
    { name: 'an axis twice', inputs: [spec(2, 3)], attrs: { axes: [0, 0] }, error: ShapeError },
    { name: 'too few axes', inputs: [spec(2, 3)], attrs: { axes: [0] }, error: ShapeError },
    { name: 'an axis that is not there', inputs: [spec(2, 3)], attrs: { axes: [0, 2] }, error: ShapeError },
  ],
})

testOp(stopGradient, { cases: [{ inputs: [[2, 3]], attrs: {} }], errors: [{ name: 'no tensor', inputs: [], attrs: {}, error: ShapeError }] })
testOp(after, { cases: [{ inputs: [[2, 3], [4]], attrs: {} }], errors: [{ name: 'no tensor', inputs: [], attrs: {}, error: ShapeError }] })

/** One view op with attributes that fit the tensor it is applied to, chosen by three numbers. */
function step(shape: readonly number[], kind: number, a: number, b: number): readonly [Op<never>, Attrs] {
  const n = shape.length
  const axis = n === 0 ? 0 : a % n
  if (kind === 0 && n > 0) {
    const size = shape[axis] ?? 1
    const start = b % (size + 1)
    return [slice, { axis, start, end: Math.min(size, start + 2) }] as unknown as readonly [Op<never>, Attrs]
  }
  if (kind === 1) return [permute, { axes: shape.map((_, i) => (i + a) % n) }] as unknown as readonly [Op<never>, Attrs]
  if (kind === 2) return [expand, { shape: [2, ...shape] }] as unknown as readonly [Op<never>, Attrs]
  return [reshape, { shape: n > 1 ? [(shape[0] ?? 1) * (shape[1] ?? 1), ...shape.slice(2)] : [1, ...shape] }] as unknown as readonly [Op<never>, Attrs]
}

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 })

describe.skipIf(globalThis.kernelTestHost)('views', () => {
  test('a chain of views reads what the ops compute one after the other, until one needs a copy', () => {
    let copies = 0
    let chained = 0
    fc.assert(fc.property(shapes, fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(4)), { maxLength: 5 }), (shape, steps) => {
      const x = random(shape)
      let direct: RefTensor = x
      let view: View | undefined = viewOf(x)
      for (const [kind, a, b] of steps) {
        const [op, attrs] = step(direct.shape, kind, a, b)
        direct = op.reference([direct], attrs as never)[0] as RefTensor
        view = op.view?.(view, attrs as never)
        if (!view) {
          copies++
          return
        }
      }
      chained++
      expect(readView(x, view)).toEqual(direct)
    }), { seed: 1, numRuns: 300 })
    expect(copies).toBeGreaterThan(10)
    expect(chained).toBeGreaterThan(100)
  })

  test('a permutation and its inverse cancel', () => {
    fc.assert(fc.property(shapes, fc.nat(100), (shape, seed) => {
      const x = random(shape)
      const keys = noise(shape.length, seed)
      const axes = shape.map((_, i) => i).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0))
      const there = permute.reference([x], { axes })
      expect(permute.reference(there, { axes: axes.map((_, i) => axes.indexOf(i)) })[0]).toEqual(x)
      expect(adjointGap(permute, [x], { axes })).toBeLessThan(1e-9)
    }))
  })

  test('a permuted tensor cannot be reshaped without a copy', () => {
    const turned = permute.view?.(viewOf(spec(2, 3)), { axes: [1, 0] })
    expect(turned && reshape.view?.(turned, { shape: [6] })).toBeUndefined()
  })

  test('stopGradient passes no gradient on, and after passes it to the first input only', () => {
    const x = random([3])
    expect(stopGradient.vjp).toBeUndefined()
    expect(after.vjp?.(refCall, { inputs: [x, x], outputs: [x], grads: [x], attrs: {}, needs: [true, true] })).toEqual([x, undefined])
  })
})
