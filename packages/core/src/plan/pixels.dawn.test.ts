import { afterAll, beforeAll, expect, test } from 'vitest'
import { conv2d, Device, evaluate, gradients, randn, type Tensor } from '../index.ts'
import { interpret } from '../testing/index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const byFours = (): boolean => device.target.tuning.adapter === 'lavapipe' && device.target.subgroupSize >= 4

/** What follows a convolution of 1×1, in whose kernel it is computed. */
const tails: Readonly<Record<string, (y: Tensor, leaves: readonly Tensor[]) => Tensor>> = {
  nothing: (y) => y,
  'a bias and a residual': (y, [bias, residual]) => y.add(bias as Tensor).add(residual as Tensor).silu(),
  'a bias of each image': (y, [, , each]) => y.add(each as Tensor),
  'what differs from column to column alone': (y, [, , , column]) => y.mul(column as Tensor),
  'a narrower type': (y) => y.to('f16'),
}

test.each([[8, 16, 4], [6, 5, 6], [32, 3, 8]])('a convolution of 1×1 of %i channels to %i on %i pixels a side, and what follows it', async (from, to, side) => {
  const shapes = [[5, from, side, side], [to, from, 1, 1], [to, 1, 1], [5, to, side, side], [5, to, 1, 1], [side]]
  const leaves = shapes.map((shape, seed) => randn(device, shape, { seed }))
  await evaluate(...leaves)
  const [x, w, ...rest] = leaves as [Tensor, Tensor, ...Tensor[]]
  const values = new Map(await Promise.all(leaves.map(async (t) => [t, await t.data()] as const)))
  for (const [name, tail] of Object.entries(tails)) {
    const narrow = name === 'a narrower type'
    if (narrow && !device.target.f16) continue
    const y = tail(conv2d(x, w), rest)
    const outputs = narrow ? [y] : [y, ...gradients(y.square().mul(0.5).sum(), [x])]
    if (byFours() && !narrow) expect(device.plan(...outputs).dispatches.filter((d) => d.kernel.label.includes('/pixels')).length).toBe(2)
    const want = interpret(outputs, values)
    await evaluate(...outputs)
    for (const [k, t] of outputs.entries()) {
      const got = await t.data()
      expect(Math.max(...(want[k] ?? []).map((v, i) => Math.abs(v - (got[i] ?? Number.NaN)) / Math.max(1, Math.abs(v)))), name).toBeLessThan(narrow ? 5e-3 : 1e-4)
      t.dispose()
    }
  }
  for (const t of leaves) t.dispose()
  expect(device.memory().tensors).toBe(0)
})
