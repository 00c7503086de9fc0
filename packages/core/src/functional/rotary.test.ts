import { expect, test } from 'vitest'
import { constant, tensor } from '../graph/index.ts'
import { FakeHost, interpret, noise } from '../testing/index.ts'
import { rotaryAngles, rotaryEmbedding, type RotaryOptions } from './rotary.ts'

const host = new FakeHost()

/** x `[1, N, D]` turned to its positions. */
function turned(x: ArrayLike<number>, positions: readonly number[], width: number, options?: RotaryOptions): Float64Array {
  const angles = rotaryAngles(positions, width, { theta: 100 })
  const [cos, sin] = [Math.cos, Math.sin].map((f) => constant(host, angles.map(f), [positions.length, width / 2]))
  return interpret([rotaryEmbedding(tensor(host, x, [1, positions.length, width]), cos!, sin!, options)])[0] as Float64Array
}

test('angles are positions by powers of θ', () => {
  expect([...rotaryAngles([0, 2], 4)]).toEqual([0, 0, 2, 0.02])
  expect([...rotaryAngles([3], 4, { theta: 4 })]).toEqual([3, 1.5])
  expect(() => rotaryAngles([1], 3)).toThrow('rotaryAngles: expected an even width of 2 or more, got 3')
})

test('a pair of channels turns by its angle, beside each other or half a width apart', () => {
  const [c, s] = [Math.cos(1), Math.sin(1)]
  const [d, t] = [Math.cos(0.1), Math.sin(0.1)]
  const near = turned([1, 2, 3, 4], [1], 4)
  ;[c - 2 * s, 2 * c + s, 3 * d - 4 * t, 4 * d + 3 * t].forEach((v, i) => { expect(near[i]).toBeCloseTo(v, 6) })
  const far = turned([1, 2, 3, 4], [1], 4, { pairs: 'halves' })
  ;[c - 3 * s, 2 * d - 4 * t, 3 * c + s, 4 * d + 2 * t].forEach((v, i) => { expect(far[i]).toBeCloseTo(v, 6) })
})

test.each(['adjacent', 'halves'] as const)('scores of turned vectors depend on the distance of their positions alone: %s', (pairs) => {
  const [q, k] = [noise(8, 1), noise(8, 2)]
  const score = (m: number, n: number): number => {
    const [a, b] = [turned(q, [m], 8, { pairs }), turned(k, [n], 8, { pairs })]
    return a.reduce((sum, v, i) => sum + v * b[i]!, 0)
  }
  expect(score(7, 4)).toBeCloseTo(score(3, 0), 5)
  expect(Math.abs(score(7, 4) - score(7, 5))).toBeGreaterThan(1e-3)
})

test('an odd width is refused', () => {
  const x = tensor(host, [1, 2, 3], [1, 3])
  expect(() => rotaryEmbedding(x, x, x)).toThrow('rotaryEmbedding: expected x [..., N, D] with an even D, got [1,3]')
})
