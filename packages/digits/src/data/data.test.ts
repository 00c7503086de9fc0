import { CheckpointError, ConfigError, ShapeError } from '@antipode/core'
import { rng } from '@antipode/core/random'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { areaAverage, degrade, degradedBatch, loadDigits, movingDigits } from './index.ts'

const digits = await loadDigits({ size: 16 })
const { train, labeller, judge } = digits.splits

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, v) => sum + v, 0) / values.length
const rough = (image: Float32Array): number => mean(image.slice(1).map((v, i) => (v - image[i]!) ** 2))

describe('loadDigits', () => {
  test('gives 10,000 images in [-1, 1] with ink above paper', () => {
    expect(digits.images.length).toBe(10_000 * 256)
    expect(digits.labels.length).toBe(10_000)
    expect(digits.images.every((v) => v >= -1 && v <= 1)).toBe(true)
    // Digits are thin: most of the sheet stays paper, and MNIST's mean ink is 0.1307 of the 28x28 sheet.
    expect((mean(digits.images) + 1) / 2).toBeCloseTo((0.1307 * 784) / 1024, 2)
  })

  test('splits are disjoint, of the stated sizes, and balanced where promised', () => {
    expect([train.count, labeller.count, judge.count]).toEqual([5000, 2000, 3000])
    const seen = new Map<string, string>()
    let shared = 0
    for (const [name, split] of Object.entries(digits.splits)) {
      for (let n = 0; n < split.count; n++) {
        const key = split.images.subarray(n * 256, (n + 1) * 256).join()
        if (seen.has(key) && seen.get(key) !== name) shared += 1
        seen.set(key, name)
      }
    }
    expect(shared).toBe(0)
    for (let digit = 0; digit < 10; digit++) {
      expect(labeller.labels.filter((label) => label === digit).length).toBe(200)
      expect(judge.labels.filter((label) => label === digit).length).toBe(300)
      expect(train.labels.filter((label) => label === digit).length).toBeGreaterThanOrEqual(363)
    }
  })

  test('28x28 images average to the 16x16 ones', async () => {
    const full = await loadDigits({ size: 28 })
    expect(full.splits.judge.images.length).toBe(3000 * 784)
    const averaged = areaAverage(full.splits.judge.images)
    expect(averaged.length).toBe(judge.images.length)
    expect(averaged.every((value, i) => value === judge.images[i])).toBe(true)
  })

  test('a size that is not offered, a truncated file and a foreign file are named as such', async () => {
    // @ts-expect-error 32 is not a DigitSize
    await expect(loadDigits({ size: 32 })).rejects.toThrow(ConfigError)
    const foreign = new Uint8Array(gzipSync(new Uint8Array([2, 0, 0, 0, 123, 125])))
    await expect(loadDigits({ size: 16, source: foreign })).rejects.toThrow(CheckpointError)
    await expect(loadDigits({ size: 16, source: foreign.slice(0, 12) })).rejects.toThrow(/damaged/)
    await expect(loadDigits({ size: 16, source: new Uint8Array(3) })).rejects.toThrow(CheckpointError)
    await expect(loadDigits({ size: 16, source: new URL('file:///no/such/file') })).rejects.toThrow(/readable asset/)
    const hostile = new Uint8Array(gzipSync(new Uint8Array([255, 255, 255, 255, 0])))
    await expect(loadDigits({ size: 16, source: hostile })).rejects.toThrow(CheckpointError)
  })
})

describe('areaAverage', () => {
  test('keeps the amount of ink and pads with paper', () => {
    const image = new Float32Array(784).fill(1)
    const small = areaAverage(image)
    expect(small[0]).toBe(-1)
    expect(small[17]).toBe(1)
    expect(small.reduce((ink, v) => ink + (v + 1) / 2, 0)).toBe(784 / 4)
    expect(() => areaAverage(new Float32Array(783))).toThrow(ShapeError)
  })
})

describe('degrade', () => {
  const image = train.images.subarray(0, 256)

  test('strength zero returns an equal copy', () => {
    const copy = degrade(image, 16, { generator: rng(1) })
    expect(copy).toEqual(image)
    expect(copy).not.toBe(image)
  })

  test('faint scales the ink, blur keeps it and smooths, noise roughens', () => {
    const faint = degrade(image, 16, { faint: 0.5, generator: rng(1) })
    expect(Math.max(...faint.map((v, i) => Math.abs((v + 1) / 2 - (image[i]! + 1) / 4)))).toBeLessThan(1e-7)
    const blurred = degrade(image, 16, { blur: 0.8, generator: rng(1) })
    expect(rough(blurred)).toBeLessThan(0.5 * rough(image))
    expect(mean(blurred)).toBeCloseTo(mean(image), 4) // a normalised kernel; the digit lies clear of the border
    expect(rough(degrade(image, 16, { noise: 0.3, generator: rng(1) }))).toBeGreaterThan(rough(image))
  })

  test('the result stays in [-1, 1] and depends only on the generator', () => {
    const once = degrade(image, 16, { blur: 1, faint: 0.2, noise: 2, generator: rng(3) })
    expect(once.every((v) => v >= -1 && v <= 1)).toBe(true)
    expect(degrade(image, 16, { blur: 1, faint: 0.2, noise: 2, generator: rng(3) })).toEqual(once)
    expect(degrade(image, 16, { blur: 1, faint: 0.2, noise: 2, generator: rng(4) })).not.toEqual(once)
  })

  test('wrong sizes and strengths are refused', () => {
    expect(() => degrade(image, 28, { generator: rng(1) })).toThrow(ShapeError)
    expect(() => degrade(image, 16, { faint: 1.5, generator: rng(1) })).toThrow(ConfigError)
    expect(() => degrade(image, 16, { blur: Number.NaN, generator: rng(1) })).toThrow(ConfigError)
    expect(() => degrade(image, 16, { blur: Infinity, generator: rng(1) })).toThrow('degrade: expected blur to be a number in [0, 1000], got Infinity')
    expect(() => degrade(image, -16, { generator: rng(1) })).toThrow('degrade: expected size to be')
    expect(() => degrade(image, 16, { sigma: 1, generator: rng(1) } as never)).toThrow('got sigma; remove or rename it')
  })
})

describe('degradedBatch', () => {
  test('draws classes and qualities evenly, and the same for the same seed', () => {
    const batch = degradedBatch(train, { count: 2000, generator: rng(5) })
    expect(batch.images.length).toBe(2000 * 256)
    expect(mean(batch.quality)).toBeCloseTo(0.5, 1)
    for (let digit = 0; digit < 10; digit++) {
      // 200 expected, standard deviation 13.4: five of them either way.
      expect(Math.abs(batch.labels.filter((label) => label === digit).length - 200)).toBeLessThan(67)
    }
    expect(degradedBatch(train, { count: 10, generator: rng(5) }).images).toEqual(batch.images.subarray(0, 2560))
  })

  test('quality 1 leaves the digits as they are', () => {
    const batch = degradedBatch(labeller, { count: 5, generator: rng(6), quality: 1 })
    const originals = new Set(
      Array.from({ length: 2000 }, (_, n) => labeller.images.subarray(n * 256, (n + 1) * 256).join()),
    )
    for (let n = 0; n < 5; n++) expect(originals.has(batch.images.subarray(n * 256, (n + 1) * 256).join())).toBe(true)
  })

  test('an impossible request is refused', () => {
    expect(() => degradedBatch(train, { count: 0, generator: rng(1) })).toThrow(ConfigError)
    expect(() => degradedBatch(train, { count: 1, generator: rng(1), quality: 2 })).toThrow(ConfigError)
    expect(() => degradedBatch({ ...train, size: 28 }, { count: 1, generator: rng(1) })).toThrow(ShapeError)
  })
})

describe('movingDigits', () => {
  test('clips keep their ink inside the frame, and move', () => {
    const { clips, labels } = movingDigits(train, { count: 8, frames: 12, generator: rng(7) })
    expect(clips.length).toBe(8 * 12 * 256)
    expect(labels.length).toBe(8)
    for (let n = 0; n < 8; n++) {
      const frames = Array.from({ length: 12 }, (_, f) => clips.slice((n * 12 + f) * 256, (n * 12 + f + 1) * 256))
      const ink = frames.map((frame) => frame.reduce((sum, v) => sum + (v + 1) / 2, 0))
      // Faint pixels outside the ink's box may leave the frame: less than a tenth of the ink.
      expect(Math.min(...ink)).toBeGreaterThan(0.9 * Math.max(...ink))
      expect(frames[0]).not.toEqual(frames[11])
    }
  })

  test('speed zero gives equal frames, and the same seed the same clips', () => {
    const still = movingDigits(train, { count: 2, frames: 3, generator: rng(8), speed: 0 })
    expect(still.clips.subarray(0, 256)).toEqual(still.clips.subarray(512, 768))
    const options = { count: 3, frames: 4 }
    const once = movingDigits(train, { ...options, generator: rng(9) })
    expect(movingDigits(train, { ...options, generator: rng(9) })).toEqual(once)
    expect(() => movingDigits(train, { count: 1, frames: 0, generator: rng(1) })).toThrow(ConfigError)
    expect(() => movingDigits(train, { count: 1, frames: 1, generator: rng(1), speed: Number.NaN })).toThrow('movingDigits: expected speed to be')
    expect(() => movingDigits({ ...train, count: 1 }, { count: 1, frames: 1, generator: rng(1) })).toThrow(ShapeError)
  })
})
