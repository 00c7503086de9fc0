import { gradients, scaledDotProductAttention, tensor, conv2d } from '@antipode/core'
import { FakeHost } from '@antipode/core/testing'
import { flopsOf } from '@antipode/models'
import { expect, test } from 'vitest'
import { matmulEntry } from '../reference/index.ts'
import { workloadOf, workloadsOf } from './index.ts'

test('names choose workloads in the order of the report, and large ones only in full', () => {
  const all = workloadsOf([])
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
  expect(workloadsOf(['geglu', 'matmul']).map(({ id }) => id).slice(0, 3)).toEqual(['matmul-256', 'matmul-512', 'matmul-1024'])
  expect(workloadsOf(['matmul']).map(({ id }) => id)).not.toContain('matmul-4096')
  expect(workloadsOf(['matmul-4096']).map(({ id }) => id)).toEqual(['matmul-4096'])
  expect(workloadsOf(['conv3x3-64x64x64'])).toHaveLength(3)
  expect(() => workloadsOf(['matmul', 'matmull'])).toThrow(/expected one of matmul-256, .*, got matmull/)
})

test('every process draws the same numbers, and a right result passes where a wrong one does not', async () => {
  const workload = workloadOf('matmul-300x260x200')
  const [first, second] = [workload.make(), workload.make()]
  const { a, b } = first.inputs
  expect(second.inputs).toEqual(first.inputs)
  expect(a?.data.subarray(0, 100)).not.toEqual(b?.data.subarray(0, 100))
  const product = Float32Array.from({ length: 300 * 200 }, (_, i) => matmulEntry(a?.data ?? [], b?.data ?? [], [260, 200], i))
  expect(await first.error([product])).toBeLessThan(workload.tolerance)
  expect(await first.error([product.map((v, i) => (i === 0 ? v + 1 : v))])).toBeGreaterThan(workload.tolerance)
  expect(await first.error([])).toBe(Infinity)
})

test('a training step counts its forward and both of its backward passes', () => {
  const host = new FakeHost()
  const of = (shape: readonly number[]) => tensor(host, new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)
  const [x, w] = [of([2, 3, 8, 8]), of([5, 3, 3, 3])]
  const y = conv2d(x, w, { padding: 1 }).sum()
  const forward = 2 * 9 * 3 * 5 * 2 * 64
  expect(flopsOf(y)).toBe(forward)
  // The result of a sum is not needed for its gradients.
  expect(flopsOf(...gradients(y, [x, w]))).toBe(2 * forward)
  const [q, k, v] = [of([1, 2, 6, 4]), of([1, 2, 10, 4]), of([1, 2, 10, 4])]
  const product = 2 * 2 * 6 * 10 * 4
  const z = scaledDotProductAttention(q, k, v).sum()
  expect(flopsOf(z)).toBe(2 * product)
  // Scores and weighted sums; then three products for q and four for k and v, the scores anew among both.
  expect(flopsOf(z, ...gradients(z, [q, k, v]))).toBe(9 * product)
})

test('the small Stable Diffusion UNet is as much work as its layers say', () => {
  // Counted layer by layer; SD 1.5 itself has about 800 GFLOP, of which its products shrink to 1/64 and its attention to 1/8.
  expect(workloadOf('unet-eighth').work.amount / 1e9).toBeGreaterThan(800 / 64)
  expect(workloadOf('unet-eighth').work.amount / 1e9).toBeLessThan(800 / 8)
  expect(workloadOf('digits-dpo').work.amount).toBeGreaterThan(workloadOf('digits-step').work.amount)
})
