import { expect, test } from 'vitest'
import { blur } from './blur.ts'
import { wrongColours } from './colours.ts'
import { crop } from './crop.ts'
import { degraded, kinds } from './index.ts'
import type { Picture } from './picture.ts'

const side = 64
const of = (pixel: (x: number, y: number) => readonly number[], side = 64): Picture => ({
  data: Uint8Array.from({ length: 3 * side * side }, (_, i) => {
    const at = Math.floor(i / 3)
    return pixel(at % side, Math.floor(at / side))[i % 3]!
  }),
  side,
})
const disc = of((x, y) => (Math.hypot(x - 31.5, y - 31.5) < 24 ? [220, 40, 30] : [255, 255, 255]))
const at = ({ data, side }: Picture, x: number, y: number): number[] => [...data.subarray(3 * (y * side + x), 3 * (y * side + x) + 3)]

test('a blur keeps white and spreads a dot as a Gaussian', () => {
  const white = of(() => [255, 255, 255])
  expect(blur(white, 2).data).toEqual(white.data)
  const dot = blur(of((x, y) => (x === 32 && y === 32 ? [0, 0, 0] : [255, 255, 255])), 1)
  // 255·(1 − g(dx)·g(dy)), where g is e^(−d²/2) over the sum of seven of them, 2.50660.
  expect([at(dot, 32, 32)[0], at(dot, 33, 32)[0], at(dot, 33, 33)[0]]).toEqual([214, 230, 240])
  expect(at(dot, 32, 33)).toEqual(at(dot, 33, 32))
})

test('turned hues keep grey, come back after a whole turn, and red becomes cyan after half of one', () => {
  const grey = of(() => [90, 90, 90])
  const same = { scale: [1, 1, 1] } as const
  expect(wrongColours(grey, { turn: 77, ...same }).data).toEqual(grey.data)
  expect(wrongColours(disc, { turn: 360, ...same }).data).toEqual(disc.data)
  // (2·0.213 − 1)·200 < 0, and 2·0.213·200 = 85.2
  expect(at(wrongColours(of(() => [200, 0, 0]), { turn: 180, ...same }), 0, 0)).toEqual([0, 85, 85])
  expect(at(wrongColours(grey, { turn: 0, scale: [1, 0.5, 0] }), 0, 0)).toEqual([90, 45, 0])
})

test('a crop shows its part at full size, and white beyond the border', () => {
  const whole = crop(disc, { side, left: 0, top: 0 })
  expect(whole.data).toEqual(disc.data)
  expect(at(crop(disc, { side, left: 10, top: -5 }), 20, 30)).toEqual(at(disc, 30, 25))
  const beyond = crop(of(() => [0, 0, 0]), { side, left: 40, top: 0 })
  expect([at(beyond, 23, 9), at(beyond, 24, 9)]).toEqual([[0, 0, 0], [255, 255, 255]])
  const zoomed = crop(of((x) => (x < 32 ? [0, 0, 0] : [200, 200, 200])), { side: 32, left: 16, top: 16 })
  expect([at(zoomed, 8, 8), at(zoomed, 56, 8)]).toEqual([[0, 0, 0], [200, 200, 200]])
})

test('kind, strength and bytes come from the name alone', () => {
  expect(degraded(disc, 'a')).toEqual(degraded(disc, 'a'))
  const many = Array.from({ length: 200 }, (_, i) => degraded(disc, `picture ${i}`))
  const counts = kinds.map((kind) => many.filter((one) => one.kind === kind).length)
  // Five standard deviations about 50 of 200.
  for (const count of counts) expect(Math.abs(count - 50)).toBeLessThan(5 * Math.sqrt(200 * 3 / 16))
  for (const { quality, data } of many) {
    expect(quality).toBeGreaterThanOrEqual(0)
    expect(quality).toBeLessThanOrEqual(0.7)
    expect(data).toHaveLength(3 * side * side)
    expect(data).not.toEqual(disc.data)
  }
})

test('the worse the quality, the further blur and noise are from the clean picture', () => {
  const away = ({ data }: Picture): number => data.reduce((sum, v, i) => sum + Math.abs(v - disc.data[i]!), 0)
  const many = Array.from({ length: 120 }, (_, i) => degraded(disc, `picture ${i}`))
  for (const kind of ['blur', 'noise']) {
    const ranked = many.filter((one) => one.kind === kind).sort((a, b) => b.quality - a.quality)
    const third = Math.floor(ranked.length / 3)
    const mean = (list: readonly Picture[]): number => list.reduce((sum, one) => sum + away(one), 0) / list.length
    expect(mean(ranked.slice(-third))).toBeGreaterThan(1.3 * mean(ranked.slice(0, third)))
  }
})
