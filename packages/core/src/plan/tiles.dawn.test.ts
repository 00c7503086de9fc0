import { afterAll, beforeAll, expect, test } from 'vitest'
import { conv2d, Device, evaluate, gradients, groupNorm, randn, type Tensor } from '../index.ts'
import { interpret } from '../testing/index.ts'

/** A device that packs for nothing, so that small convolutions are computed by tiles too. */
let device: Device
beforeAll(async () => {
  await using probe = await Device.request({ tuning: 'built-in' })
  const { tuning } = probe.target
  const packing = tuning.packing && { buffer: 1, texture: 0.01, element: 0, dispatches: 0 }
  device = await Device.request({ tuning: { ...tuning, packing } })
})
afterAll(async () => { await device[Symbol.asyncDispose]() })

const packs = (): boolean => device.target.tuning.packing !== null && device.target.textureRows > 0
const labels = (...tensors: Tensor[]): string[] => device.plan(...tensors).dispatches.map((d) => d.kernel.label)
const tilesIn = (...tensors: Tensor[]): number => labels(...tensors).filter((l) => l.endsWith('/tiles')).length

async function leavesOf(...shapes: readonly (readonly number[])[]): Promise<Tensor[]> {
  const leaves = shapes.map((shape, seed) => randn(device, shape, { seed }))
  await evaluate(...leaves)
  return leaves
}

/** Compares outputs with the interpreter, and disposes of them. */
async function expectRight(outputs: readonly Tensor[], leaves: readonly Tensor[], tolerance = 1e-4): Promise<void> {
  const want = interpret(outputs, new Map(await Promise.all(leaves.map(async (t) => [t, await t.data()] as const))))
  await evaluate(...outputs)
  for (const [k, t] of outputs.entries()) {
    const got = await t.data()
    expect(Math.max(...(want[k] ?? []).map((v, i) => Math.abs(v - (got[i] ?? Number.NaN)) / Math.max(1, Math.abs(v))))).toBeLessThan(tolerance)
    t.dispose()
  }
}

test.each([[12, 12], [11, 13]])('convolutions of the same sizes, of %i by %i pixels, and what follows each', async (height, width) => {
  const leaves = await leavesOf([2, 6, height, width], [2, 6, height, width], [10, 6, 3, 3], [10, 6, 3, 3], [10], [2, 10, height, width], [2, 10, 1, 1])
  const [x1, x2, w1, w2, bias, residual, each] = leaves as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
  const y1 = conv2d(x1, w1, { padding: 1, bias }).add(residual).silu()
  const y2 = conv2d(x2, w2, { padding: 1 }).add(each)
  const outputs = [y1, y2, ...gradients(y1.mul(y2).sum(), [x1, x2])]
  if (packs()) expect(tilesIn(...outputs)).toBe(4)
  await expectRight(outputs, leaves)
  for (const t of leaves) t.dispose()
  expect(device.memory().tensors).toBe(0)
})

test('one tensor by two weights, and by the same weight in another run', async () => {
  const leaves = await leavesOf([2, 6, 12, 12], [10, 6, 3, 3], [10, 6, 3, 3])
  const [x, w1, w2] = leaves as [Tensor, Tensor, Tensor]
  for (let run = 0; run < 2; run++) await expectRight([conv2d(x, w1, { padding: 1 }), conv2d(x, w2, { padding: 1 })], leaves)
  for (const t of leaves) t.dispose()
})

test('a narrower type', async () => {
  if (!device.target.f16) return
  const leaves = await leavesOf([2, 6, 12, 12], [10, 6, 3, 3])
  const [x, w] = leaves as [Tensor, Tensor]
  await expectRight([conv2d(x, w, { padding: 1 }).to('f16')], leaves, 5e-3)
  for (const t of leaves) t.dispose()
})

test('a norm writes what a convolution by tiles reads', async () => {
  const leaves = await leavesOf([16, 16, 8, 8], [16], [16], [8, 16, 3, 3])
  const [x, weight, bias, w] = leaves as [Tensor, Tensor, Tensor, Tensor]
  const y = conv2d(groupNorm(x, 4, { weight, bias }).silu(), w, { padding: 1 })
  if (packs()) {
    const [norm, ...rest] = labels(y)
    expect(norm).toContain('/packed')
    expect(rest.map((l) => l.split('/').at(-1))).toEqual(['pack-taps', 'tiles', 'texels', 'results'])
  }
  await expectRight([y], leaves)
  for (const t of leaves) t.dispose()
})
