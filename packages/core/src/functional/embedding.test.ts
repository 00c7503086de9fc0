import { expect, test } from 'vitest'
import { gradients } from '../autograd/index.ts'
import { constant, type Tensor, tensor } from '../graph/index.ts'
import { FakeHost, gpuTarget, interpret, noise } from '../testing/index.ts'
import { embedding } from './index.ts'

const numbers = (t: Tensor): number[] => [...interpret([t])[0] ?? []]
const [host, narrow] = [new FakeHost(), new FakeHost({ ...gpuTarget, bindingBytes: 4096 })]
const rows = noise(100 * 24, 1)
const ids = [0, 99, 41, 42, 83, 84, 7, 100, -1]

test('a table that cannot be bound whole gives the same rows and gradients in pieces, each of which can', () => {
  const of = (device: FakeHost): { y: Tensor; slope: Tensor } => {
    const table = tensor(device, rows, [100, 24])
    const y = embedding(table, constant(device, ids, [3, 3], { dtype: 'i32' }))
    const inside = embedding(table, constant(device, ids.slice(0, 7), [7], { dtype: 'u32' }))
    return { y, slope: gradients(inside.square().sum(), [table])[0] as Tensor }
  }
  const [whole, pieces] = [of(host), of(narrow)]
  expect(numbers(pieces.y)).toEqual(numbers(whole.y))
  expect(numbers(pieces.slope)).toEqual(numbers(whole.slope))
  const { dispatches, buffers } = narrow.plan(pieces.y)
  expect(Math.max(...dispatches.flatMap((d) => d.buffers.map((id) => buffers[id]?.bytes ?? 0)))).toBeLessThanOrEqual(4096)
  expect(dispatches.filter((d) => d.kernel.label.startsWith('gather')).length).toBe(3)
  expect(host.plan(whole.y).dispatches.length).toBe(1)
})
