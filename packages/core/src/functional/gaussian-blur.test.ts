import { expect, test } from 'vitest'
import { ConfigError, ShapeError } from '../errors.ts'
import { tensor } from '../graph/index.ts'
import { FakeHost, gradientGap, interpret, largestGap, noise } from '../testing/index.ts'
import { gaussianBlur } from './gaussian-blur.ts'

const host = new FakeHost()

/** One row as in torch: padded by reflection, then a weighted mean of its neighbours. */
function blurred(row: ArrayLike<number>, size: number, sigma: number): number[] {
  const half = (size - 1) / 2
  const kernel = Array.from({ length: size }, (_, k) => Math.exp(-((k - half) ** 2) / (2 * sigma ** 2)))
  const total = kernel.reduce((a, b) => a + b)
  const last = row.length - 1
  const mirrored = (i: number): number => row[i < 0 ? -i : i > last ? 2 * last - i : i] ?? Number.NaN
  return Array.from({ length: row.length }, (_, i) => kernel.reduce((sum, w, k) => sum + w * mirrored(i + k - half), 0) / total)
}

test.each([[7, 5, 1], [4, 3, 0.5], [5, 5, 9], [6, 99, 2], [1, 3, 1], [3, 1, 1], [2, 9, 1]])(
  'rows of %i pixels are blurred as torch blurs them: a kernel of %i pixels, σ %d', (width, size, sigma) => {
    const x = noise(6 * width, 1)
    const got = interpret([gaussianBlur(tensor(host, x, [2, 3, width]), { sigma, size, axes: [2] })])[0]
    const held = Math.min(size, 2 * width - 1)
    const want = [0, 1, 2, 3, 4, 5].flatMap((i) => blurred(x.slice(i * width, (i + 1) * width), held, sigma))
    expect(largestGap(Float64Array.from(want), got!)).toBeLessThan(1e-9)
  })

test('an image is blurred along both axes, wherever they lie, and what is the same everywhere stays', () => {
  const x = tensor(host, noise(2 * 5 * 4 * 3, 2), [2, 5, 4, 3]) // b h w c
  const options = { sigma: 1, size: 3 }
  const last = gaussianBlur(x.permute([0, 3, 1, 2]), options).permute([0, 2, 3, 1])
  const [inside, outside, flat] = interpret([gaussianBlur(x, { ...options, axes: [1, 2] }), last, gaussianBlur(x.mul(0).add(2), options)])
  expect(largestGap(outside!, inside!)).toBeLessThan(1e-12)
  expect(Math.max(...flat!.map((v) => Math.abs(v - 2)))).toBeLessThan(1e-12)
  expect(gaussianBlur(x.to('f16'), options).dtype).toBe('f16')
})

test('a blur has the gradients of central differences', () => {
  const x = tensor(host, noise(20, 3), [1, 4, 5])
  expect(gradientGap(gaussianBlur(x, { sigma: 1.3, size: 3 }).square().sum(), { x }).relative).toBeLessThan(1e-6)
})

test('options out of range and axes that are not there are refused', () => {
  const x = tensor(host, noise(4, 1), [2, 2])
  for (const options of [{ sigma: 0, size: 3 }, { sigma: 1, size: 4 }, { sigma: Infinity, size: 3 }, { sigma: 1, size: 3, axes: 1 }]) {
    expect(() => gaussianBlur(x, options as never)).toThrow(ConfigError)
  }
  expect(() => gaussianBlur(x, { sigma: 1, size: 3, axes: [2] })).toThrow(ShapeError)
})
