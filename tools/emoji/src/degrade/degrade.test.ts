import { rng } from '@antipode/core/random'
import { expect, test } from 'vitest'
import { blurred } from './blur.ts'
import { colourOf, hueTurned, tinted } from './colours.ts'
import { inkShare, moved, zoomed } from './crops.ts'
import { degraded, degradedBy, degradationKinds } from './degrade.ts'
import { onWhite, type Picture } from './picture.ts'

const side = 64
const picture = (colourAt: (x: number, y: number) => readonly number[], size = side): Picture => ({
  width: size, height: size, channels: 3,
  data: Uint8Array.from({ length: 3 * size * size }, (_, i) => colourAt(Math.floor(i / 3) % size, Math.floor(i / 3 / size))[i % 3]!),
})
const all = (...colour: readonly number[]): Picture => picture(() => colour)
const first = ({ data }: Picture): readonly number[] => [...data.subarray(0, 3)]
/** A red disc in the middle, over a blue stripe. */
const drawing = picture((x, y) => ((x - 32) ** 2 + (y - 32) ** 2 < 300 ? [220, 30, 40] : y > 50 ? [20, 60, 200] : [255, 255, 255]))
const grey = picture((x, y) => (Math.max(Math.abs(x - 32), Math.abs(y - 32)) < 12 ? [90, 90, 90] : [255, 255, 255]))
/** Root of the mean of squared differences. */
const distance = (a: Picture, b: Picture): number => Math.sqrt(a.data.reduce((sum, value, i) => sum + (value - b.data[i]!) ** 2, 0) / a.data.length)

test('what is transparent shows white', () => {
  const rgba = { width: 3, height: 1, data: Uint8ClampedArray.from([255, 0, 0, 255, 255, 0, 0, 0, 0, 0, 255, 51]) }
  expect([...onWhite(rgba).data]).toEqual([255, 0, 0, 255, 255, 255, 204, 204, 255])
})

test('a blur spreads a dot as a Gaussian does, and keeps its ink', () => {
  const dots = blurred(picture((x, y) => (x === 32 && y === 32 ? [0, 0, 0] : [255, 255, 255])), 2)
  const ink = (x: number, y: number): number => 255 - dots.data[3 * (y * side + x)]!
  // 255 / (2πσ²) in the middle; a pixel of distance d has exp(−d²/2σ²) of it.
  expect(ink(32, 32)).toBe(Math.round(255 / (8 * Math.PI)))
  expect(ink(34, 31)).toBe(Math.round(255 / (8 * Math.PI) * Math.exp(-5 / 8)))
  expect(first(blurred(all(255, 255, 255), 2))).toEqual([255, 255, 255])
})

test('paper lies beyond the border of what is blurred', () => {
  // Half of the weights, and half of that of the middle one, fall on black.
  const [red = 0] = first(blurred(all(0, 0, 0), 1))
  const weights = [0, 1, 2, 3].map((k) => Math.exp(-k * k / 2))
  const sum = weights.reduce((a, b) => a + b, 0)
  expect(red).toBe(Math.round(255 * (1 - (sum / (2 * sum - 1)) ** 2)))
})

test('red whose hue is turned by half a circle is what browsers show for hue-rotate(180deg), and greys stay', () => {
  expect(first(hueTurned(all(255, 0, 0), Math.PI))).toEqual([0, 109, 109])
  expect(hueTurned(grey, 2).data).toEqual(grey.data)
  expect(hueTurned(drawing, 2 * Math.PI).data).toEqual(drawing.data)
})

test('a tint colours the paper', () => {
  expect(first(tinted(all(255, 255, 200), [1, 0.5, 0.1]))).toEqual([255, 128, 20])
})

test('colour is none in greys, and 255 in pure red', () => {
  expect([colourOf(grey), colourOf(all(255, 0, 0)), colourOf(all(10, 20, 40))]).toEqual([0, 255, 30])
})

test('a picture moves by pixels, and paper comes in', () => {
  const numbered = picture((x, y) => [x + 10 * y, 0, 0], 3)
  const reds = ({ data }: Picture): readonly number[] => [...data].filter((_, i) => i % 3 === 0)
  expect(reds(moved(numbered, { left: 1, top: -1 }))).toEqual([255, 10, 11, 255, 20, 21, 255, 255, 255])
  expect(moved(numbered, { left: 0, top: 0 }).data).toEqual(numbered.data)
})

test('a window is brought to the size of the picture', () => {
  expect(zoomed(drawing, { left: 0, top: 0 }, side).data).toEqual(drawing.data)
  const corner = picture((x, y) => (x < 16 && y < 16 ? [10, 20, 30] : [255, 255, 255]))
  expect(zoomed(corner, { left: 0, top: 0 }, 16).data).toEqual(all(10, 20, 30).data)
  expect([inkShare(corner, { left: 0, top: 0 }, 16), inkShare(corner, { left: 8, top: 0 }, 16), inkShare(corner, { left: 40, top: 40 }, 16)]).toEqual([1, 0.5, 0])
})

test('noise has the standard deviation that it says', () => {
  const noisy = degradedBy(all(128, 128, 128), { kind: 'noise', severity: 0.25, random: rng(1) })
  // 70/4 = 17.5, and 12288 draws: its standard error is 0.11.
  expect(Math.abs(distance(noisy, all(128, 128, 128)) - 17.5)).toBeLessThan(0.4)
})

test.each(degradationKinds)('%s is seen when it is slight, and more so when it is not', (kind) => {
  const spoilt = (severity: number): number => distance(drawing, degradedBy(drawing, { kind, severity, random: rng(3) }))
  expect(spoilt(0.2)).toBeGreaterThan(5)
  expect(spoilt(1)).toBeGreaterThan(spoilt(0.2))
})

test('the same name gives the same copy, and names give all kinds about evenly with qualities of 0 to 0.8', () => {
  const [a, again] = [degraded(drawing, 'a'), degraded(drawing, 'a')]
  expect(a).toEqual(again)
  const small = picture(() => [200, 30, 40], 8)
  const many = Array.from({ length: 600 }, (_, i) => degraded(small, `name ${i}`))
  for (const kind of degradationKinds) {
    // 100 expected; three standard deviations of a binomial.
    expect(Math.abs(many.filter((one) => one.kind === kind).length - 100)).toBeLessThan(3 * Math.sqrt(600 * (1 / 6) * (5 / 6)))
  }
  const qualities = many.map(({ quality }) => quality)
  expect([Math.min(...qualities), Math.max(...qualities)]).toEqual([0, 0.8])
})

test('a picture without colour has no hue turned', () => {
  const kinds = new Set(Array.from({ length: 100 }, (_, i) => degraded(grey, `name ${i}`).kind))
  expect([...kinds].sort()).toEqual(degradationKinds.filter((kind) => kind !== 'hue').sort())
})

test('a zoom has some of the ink of a small drawing', () => {
  const small = picture((x, y) => (x > 50 && y > 50 ? [0, 0, 0] : [255, 255, 255]))
  const seen = Array.from({ length: 20 }, (_, i) => degradedBy(small, { kind: 'zoom', severity: 0.7, random: rng(i) }))
  expect(seen.filter(({ data }) => data.some((value) => value < 100)).length).toBeGreaterThan(15)
})

test('a picture that is no square is refused', () => {
  expect(() => degraded({ ...grey, width: 32 }, 'wide')).toThrow('degraded: expected a square picture for wide, got 32×64')
})
