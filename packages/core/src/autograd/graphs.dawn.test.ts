import { isFloat } from '@antipode/kernels-wgsl'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Device, evaluate, gradients, type Tensor } from '../index.ts'
import { FakeHost, type GraphCase, graphCases, interpret, leavesOf, relativeGap } from '../testing/index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

type Leaves = Readonly<Record<string, Tensor>>
const outputsOf = (c: GraphCase, t: Leaves): Tensor[] => {
  const loss = c.loss(t)
  return [loss, ...gradients(loss, Object.values(t).filter((x) => isFloat(x.dtype)))]
}

/** The widest gap between what the GPU gives and what float64 gives from the same, already rounded, leaves. */
async function gapOf(c: GraphCase, dtype: 'f32' | 'f16'): Promise<number> {
  const truth = interpret(outputsOf(c, leavesOf(new FakeHost(), c, dtype)))
  const leaves = leavesOf(device, c, dtype)
  const outputs = outputsOf(c, leaves)
  await evaluate(...outputs)
  const gaps: number[] = []
  for (const [k, t] of outputs.entries()) {
    gaps.push(relativeGap(await t.data(), truth[k] ?? []))
    t.dispose()
  }
  for (const t of Object.values(leaves)) t.dispose()
  return Math.max(...gaps)
}

// f32 rounds by 6e-8. A gradient goes through some 30 roundings and sums of up to 100 terms, in random directions: 1e-6 beside
// the largest of its tensor. Adapters may have exponentials and quotients of 2.5 ulp and more, hence five times that.
test.each(graphCases.map((c) => [c.name, c] as const))('on the GPU as in float64, value and gradients: %s', async (_, c) => {
  expect(await gapOf(c, 'f32')).toBeLessThan(5e-6)
})

const half = ['multilayer perceptron', 'residual block', 'RMS norm and SwiGLU', 'tied weights']
test.for(half)('in f16 too, to its precision: %s', async (name, { skip }) => {
  skip(!device.target.f16, 'this adapter has no f16')
  const c = graphCases.find((one) => one.name === name)
  // f16 rounds by 5e-4, once per kernel: sums are f32. Ten roundings in a row, of numbers of one size, come to 5e-3.
  expect(c && await gapOf(c, 'f16')).toBeLessThan(5e-3)
})
