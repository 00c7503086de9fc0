import { expect, test } from 'vitest'
import { pictureOrder } from './index.ts'

const captions = Array.from({ length: 7 }, (_, i) => [`${i}`])
const batches = (order: (index: number) => readonly number[], count: number): number[] => (
  Array.from({ length: count }, (_, i) => order(i)).flat()
)

test('each picture is drawn once an epoch', () => {
  const order = pictureOrder({ captions }, 7, 1)
  expect([...order(0)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
  expect([...order(5)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
  expect(order(0)).not.toEqual(order(1))
})

test('each group is drawn once an epoch, and all of its pictures in time', () => {
  const groups = ['a', 'b', 'a', 'a', 'c', 'a', 'a']
  const order = pictureOrder({ captions, groups }, 3, 1)
  for (let epoch = 0; epoch < 20; epoch++) {
    expect(order(epoch).map((place) => groups[place]).sort()).toEqual(['a', 'b', 'c'])
  }
  const drawn = batches(order, 200)
  expect(new Set(drawn)).toEqual(new Set(captions.keys()))
  // Of 200 draws of `a`, 40 for each of its five pictures, with a deviation of 5.7.
  for (const place of [0, 2, 3, 5, 6]) expect(Math.abs(drawn.filter((p) => p === place).length - 40)).toBeLessThan(23)
})

test('a batch depends on its number and the seed alone', () => {
  const groups = ['a', 'b', 'a', 'a', 'c', 'a', 'a']
  const [one, other] = [pictureOrder({ captions, groups }, 2, 3), pictureOrder({ captions, groups }, 2, 3)]
  const later = one(9)
  expect(batches(other, 10).slice(-2)).toEqual(later)
  expect(batches(pictureOrder({ captions, groups }, 2, 4), 10)).not.toEqual(batches(one, 10))
})
