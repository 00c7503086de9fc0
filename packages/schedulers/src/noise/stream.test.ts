import { expect, test } from 'vitest'
import { perItem, philox, torchCpu } from './index.ts'

test('each item draws as it would alone, whatever else is in the batch', () => {
  const batch = perItem([torchCpu(5), torchCpu(6), torchCpu(7)])
  const first = batch.draw(batch.begin(), 3 * 20)
  const second = batch.draw(first.state, 3 * 4)
  const alone = torchCpu(6)
  const own = alone.draw(alone.begin(), 20)
  expect(first.values.slice(20, 40)).toEqual(own.values)
  expect(second.values.slice(4, 8)).toEqual(alone.draw(own.state, 4).values)
})

test('one draw for a batch differs from one draw an item, except in a batch of one', () => {
  const [whole, batch] = [torchCpu(5), perItem([torchCpu(5), torchCpu(5)])]
  const values = whole.draw(whole.begin(), 64).values
  expect(batch.draw(batch.begin(), 64).values).not.toEqual(values)
  const single = perItem([torchCpu(5)])
  expect(single.draw(single.begin(), 64).values).toEqual(values)
})

test('a batch resumes from JSON', () => {
  const batch = perItem([philox(1), philox(1, { stream: 1 })])
  const { state } = batch.draw(batch.begin(), 6)
  expect(batch.draw(JSON.parse(JSON.stringify(state)), 8)).toEqual(batch.draw(state, 8))
})

test('a batch of no items, and counts that items cannot share, are refused', () => {
  expect(() => perItem([])).toThrow(/a stream for each item/)
  const batch = perItem([torchCpu(0), torchCpu(1)])
  expect(() => batch.draw(batch.begin(), 5)).toThrow(/a multiple of 2 values, got 5/)
})
