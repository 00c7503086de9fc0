import { expect, test } from 'vitest'
import { BatchOrder } from './batch-order.ts'

const places = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i)
const buckets = [
  { height: 8, width: 8, places: places(0, 10) }, { height: 4, width: 16, places: places(100, 3) },
  { height: 16, width: 4, places: [200] },
]

test('every pair comes once an epoch, in batches of one bucket that are filled up with its first', () => {
  const order = new BatchOrder(buckets, 4, 7)
  expect(order.epochLength).toBe(5)
  const epoch = Array.from({ length: 5 }, (_, i) => order.batch(i))
  for (const batch of epoch) {
    expect([batch.length, new Set(batch.map((place) => Math.floor(place / 100))).size]).toEqual([4, 1])
  }
  expect(new Set(epoch.flat())).toEqual(new Set(buckets.flatMap((bucket) => bucket.places)))
  expect(epoch.filter((batch) => batch.includes(200))).toEqual([[200, 200, 200, 200]])
})

test('the order depends on seed, epoch and number alone', () => {
  const all = (
    order: BatchOrder, from: number, after: number,
  ): (readonly number[])[] => places(from, after - from).map((i) => order.batch(i))
  const whole = all(new BatchOrder(buckets, 2, 7), 0, 30)
  expect(all(new BatchOrder(buckets, 2, 7), 11, 30)).toEqual(whole.slice(11))
  expect(all(new BatchOrder(buckets, 2, 8), 0, 30)).not.toEqual(whole)
  const length = new BatchOrder(buckets, 2, 7).epochLength
  expect(whole.slice(0, length)).not.toEqual(whole.slice(length, 2 * length))
})
