import { FakeHost } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { clipBatches, type ClipBatchesOptions } from './clip-batches.ts'
import { shapes, side, smallClip } from './testing/shapes.ts'

const host = new FakeHost()
const data = shapes()
const models = smallClip(host, data)
const pixels = 3 * side * side

/** Rows of a batch as numbers. */
async function rowsOf(
  index: number, options: Partial<ClipBatchesOptions> = {},
): Promise<{ picture: number[]; ids: number[] }[]> {
  const { batch, release } = clipBatches(models, data, { size: 8, seed: 3, shift: 2, ...options })
  const made = batch(index)
  const [pictures, ids] = [await made.pictures.data(), await made.ids.data()]
  release(made)
  return Array.from({ length: options.size ?? 8 }, (_, row) => ({
    picture: [...pictures.slice(row * pixels, (row + 1) * pixels)], ids: [...ids.slice(row * 8, (row + 1) * 8)],
  }))
}

/** Which picture a row shows, by its caption, and which caption that is. */
function captionOf(ids: readonly number[]): readonly [place: number, caption: number] {
  for (const [place, own] of data.captions.entries()) {
    const caption = own.findIndex((text) => models.tokenizer.padded(text).ids.join() === ids.join())
    if (caption !== -1) return [place, caption]
  }
  throw new RangeError('no such caption')
}

/** A picture moved by whole pixels, white beyond. */
function moved(place: number, down: number, right: number): number[] {
  return Array.from({ length: pixels }, (_, i) => {
    const [channel, y, x] = [Math.floor(i / side / side), Math.floor(i / side) % side - down, i % side - right]
    if (x < 0 || y < 0 || x >= side || y >= side) return 1
    return Math.fround(data.pictures[(place * 3 + channel) * side * side + y * side + x]! / 255)
  })
}

test('a batch depends on its number and the seed alone', async () => {
  const once = await rowsOf(5)
  const { batch, release } = clipBatches(models, data, { size: 8, seed: 3, shift: 2 })
  for (const index of [9, 0, 4]) release(batch(index))
  expect(await rowsOf(5)).toEqual(once)
  expect(await rowsOf(6)).not.toEqual(once)
  expect(await rowsOf(5, { seed: 4 })).not.toEqual(once)
})

test('without shifts rows are the pictures with captions of their own, each once an epoch', async () => {
  for (const size of [8, 4]) {
    const seen: number[] = []
    for (let index = 0; index < 8 / size; index++) {
      for (const { picture, ids } of await rowsOf(index, { size, shift: 0 })) {
        const [place] = captionOf(ids)
        seen.push(place)
        expect(picture).toEqual(moved(place, 0, 0))
      }
    }
    expect(seen.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  }
})

test('rows are moved by as much as was asked for, in every direction, and all captions come', async () => {
  const [shifts, captions] = [new Set<string>(), new Set<string>()]
  for (let index = 0; index < 12; index++) {
    for (const { picture, ids } of await rowsOf(index, { shift: 1 })) {
      const [place, caption] = captionOf(ids)
      captions.add(`${place} ${caption}`)
      const by = [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => [down, right] as const))
      const found = by.filter(([down, right]) => moved(place, down, right).every((v, i) => v === picture[i]))
      expect(found).toHaveLength(1)
      shifts.add(found[0]!.join())
    }
  }
  expect([shifts.size, captions.size]).toEqual([9, 16])
})

test('what a batch uploads is freed with it', async () => {
  const before = host.memory().tensors
  await rowsOf(0)
  expect(host.memory().tensors).toBe(before)
})
