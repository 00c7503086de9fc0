import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Device, evaluate, gradients, scaledDotProductAttention, softmax, type Tensor, tensor } from '../index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

// Rows of masks: −∞, the dtype's lowest, that and −∞, that and a number.
test.each([['f32', -3.4028234663852886e38], ['f16', -65504]] as const)('masks of %s by −∞ switch keys off, masks by its lowest number %d do not', async (dtype, lowest) => {
  if (dtype === 'f16' && !device.target.f16) return
  const of = (values: readonly number[], shape: number[]): Tensor => tensor(device, values, shape, { dtype, allowNonFinite: true })
  using mask = of([-Infinity, -Infinity, lowest, lowest, lowest, -Infinity, lowest, 0], [1, 1, 4, 2])
  using q = of([0, 0, 0, 0], [1, 1, 4, 1])
  using k = of([4, 5], [1, 1, 2, 1])
  using v = of([6, 8], [1, 1, 2, 1])
  const o = scaledDotProductAttention(q, k, v, { mask })
  const [dq, dk, dv] = gradients(o.sum(), [q, k, v]) as [Tensor, Tensor, Tensor]
  const y = softmax(mask)
  await evaluate(o, dq, dk, dv, y)
  expect([...await o.data()]).toEqual([0, 7, 6, 8])
  expect([...await y.data()]).toEqual([0, 0, 0.5, 0.5, 1, 0, 0, 1])
  expect([...await dv.data()]).toEqual([1.5, 1.5])
  // dq_i = Σ_j p_ij · (v_j − o_i) · k_j, and q = 0 makes dk 0
  expect([...await dq.data()]).toEqual([0, 0.5, 0, 0])
  expect([...await dk.data()]).toEqual([0, 0])
  for (const t of [o, dq, dk, dv, y]) t.dispose()
})

test('what is not finite makes the rows that meet it NaN, and no others', async () => {
  using q = tensor(device, [NaN, 1, Infinity, 2], [1, 1, 4, 1], { allowNonFinite: true })
  using k = tensor(device, [1, 2], [1, 1, 2, 1])
  using v = tensor(device, [6, 8], [1, 1, 2, 1])
  const o = scaledDotProductAttention(q, k, v)
  const y = softmax(q.reshape([2, 2]))
  await evaluate(o, y)
  expect([...await o.data()].map(Number.isNaN)).toEqual([true, false, true, false])
  expect([...await y.data()].map(Number.isNaN)).toEqual([true, true, true, true])
  for (const t of [o, y]) t.dispose()
})
