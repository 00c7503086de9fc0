import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { conv2d, Device, evaluate, gradients, groupNorm, randn, type Tensor, upsampleNearest2d } from '../index.ts'
import { sgd } from '../optim/index.ts'
import { interpret, largestGap, valuesOf } from '../testing/index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const labels = (...tensors: Tensor[]): string[] => device.plan(...tensors).dispatches.map((d) => d.kernel.label)
const packing = (): boolean => device.target.textureRows > 0

/** A convolution behind a norm, whose groups of channels fill texels, or share them; an odd number of images leaves lanes idle at the end. */
async function leavesOf(channels: number, side: number): Promise<Tensor[]> {
  const leaves = [[15, channels, side, side], [channels], [channels], [32, channels, 3, 3]].map((shape, seed) => randn(device, shape, { seed }))
  await evaluate(...leaves)
  return leaves
}

test.each([
  [16, 8, 8], [32, 8, 4], [48, 8, 8], [64, 8, 4], [12, 4, 16], [32, 32, 8], [20, 5, 6], [40, 2, 4],
] as const)('a norm of %i channels in %i groups of %i pixels a side writes what a convolution reads', async (channels, groups, side) => {
  const leaves = await leavesOf(channels, side)
  const [x, weight, bias, w] = leaves as [Tensor, Tensor, Tensor, Tensor]
  const values = await valuesOf(leaves)
  for (const options of [{ weight, bias }, { weight }, {}]) {
    for (const act of [(t: Tensor): Tensor => t.silu(), (t: Tensor): Tensor => t]) {
      using y = conv2d(act(groupNorm(x, groups, options)), w, { padding: 1 })
      if (packing()) expect(labels(y).filter((l) => l.includes('/packed')).length).toBe(1)
      const [want = new Float64Array()] = interpret([y], values)
      expect(largestGap(want, await y.data())).toBeLessThan(1e-4)
    }
  }
  for (const t of leaves) t.dispose()
})

test.each([[16, 8, 2], [21, 5, 2], [8, 4, 3]] as const)('an enlargement of %i channels of %i pixels a side by %i writes what a convolution reads', async (channels, side, factor) => {
  using x = randn(device, [32, channels, side, side], { seed: 1 })
  using w = randn(device, [32, channels, 3, 3], { seed: 2 })
  await evaluate(x, w)
  using y = conv2d(upsampleNearest2d(x, factor), w, { padding: 1 })
  if (packing()) expect(labels(y).map((l) => l.split('/')[0])).toEqual(['upsample', 'conv2d', 'conv2d'])
  const [want = new Float64Array()] = interpret([y], await valuesOf([x, w]))
  expect(largestGap(want, await y.data())).toBeLessThan(1e-4)
})

test('a norm of values far from zero keeps their digits', async () => {
  const leaves = await leavesOf(16, 8)
  const [x, weight, bias, w] = leaves as [Tensor, Tensor, Tensor, Tensor]
  using far = x.add(1000)
  await evaluate(far)
  using y = conv2d(groupNorm(far, 8, { weight, bias }), w, { padding: 1 })
  const [want = new Float64Array()] = interpret([y], await valuesOf([far, weight, bias, w]))
  expect(largestGap(want, await y.data())).toBeLessThan(1e-4)
  for (const t of leaves) t.dispose()
})

test('a norm that more than convolutions read, or that is asked for, is stored', async () => {
  const leaves = await leavesOf(32, 8)
  const [x, weight, bias, w] = leaves as [Tensor, Tensor, Tensor, Tensor]
  const normed = (): Tensor => groupNorm(x, 8, { weight, bias })
  const h = normed()
  expect(labels(conv2d(h, w, { padding: 1 }), h).some((l) => l.includes('/packed'))).toBe(false)
  const loss = conv2d(normed().silu(), w, { padding: 1 }).square().mean()
  expect(labels(loss, ...gradients(loss, [x])).some((l) => l.includes('/packed'))).toBe(false)
  for (const t of leaves) t.dispose()
})

test.each([[16, 8, 8], [32, 8, 4], [20, 5, 6]] as const)('a norm of %i channels in %i groups gives a convolution the same bits whether gradients are taken or not', async (channels, groups, side) => {
  const leaves = await leavesOf(channels, side)
  const [x, weight, bias, w] = leaves as [Tensor, Tensor, Tensor, Tensor]
  const forward = (): Tensor => conv2d(groupNorm(x, groups, { weight, bias, activation: 'silu' }), w, { padding: 1 })
  using alone = forward()
  await evaluate(alone)
  const y = forward()
  const slopes = gradients(y.square().mean(), [x, weight, w])
  if (packing()) expect(labels(y, ...slopes).filter((l) => /^norm.*packed/.test(l))).toHaveLength(1)
  await evaluate(y, ...slopes)
  expect(await y.data()).toEqual(await alone.data())
  for (const t of [y, ...slopes, ...leaves]) t.dispose()
})

test('a norm whose operand is overwritten is computed before that', async () => {
  const leaves = await leavesOf(32, 8)
  const [x, weight, bias, w] = leaves as [Tensor, Tensor, Tensor, Tensor]
  using y = conv2d(groupNorm(x, 8, { weight, bias }), w, { padding: 1 })
  const [want = new Float64Array()] = interpret([y], await valuesOf(leaves))
  using optimizer = sgd({ lr: 1 })
  const updates = optimizer.update(new Map([['x', x]]), gradients(x.square().sum(), [x]))
  await evaluate(y, ...updates)
  expect(largestGap(want, await y.data())).toBeLessThan(1e-4)
  for (const t of [...updates, ...leaves]) t.dispose()
})
