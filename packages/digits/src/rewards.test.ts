import { ConfigError, ShapeError } from '@antipode/core'
import { rng } from '@antipode/core/random'
import { beforeAll, describe, expect, test } from 'vitest'
import { degrade, type Degradation, degradedBatch, type Digits, loadDigits } from './data/index.ts'
import { type DigitClassifier } from './classifier.ts'
import { loadDigitClassifier } from './load-classifier.ts'
import { digitJudge, type DigitScore, labellingReward } from './rewards.ts'

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, v) => sum + v, 0) / values.length
const clamp = (value: number): number => Math.min(1, Math.max(-1, value))
const COUNT = 500

let digits: Digits
let classifier: DigitClassifier
let scores: Record<'labelling reward' | 'judge', DigitScore>

beforeAll(async () => {
  digits = await loadDigits({ size: 16 })
  classifier = await loadDigitClassifier()
  scores = {
    'labelling reward': labellingReward(digits.splits.labeller),
    judge: digitJudge(digits.splits.judge, classifier),
  }
})

/** Mean score of 500 digits that neither function has seen, each changed by `change`. */
function scored(name: keyof typeof scores, change: (image: Float32Array) => Float32Array): number {
  const { images, labels } = digits.splits.train
  const changed = new Float32Array(COUNT * 256)
  for (let n = 0; n < COUNT; n++) changed.set(change(images.subarray(n * 256, (n + 1) * 256)), n * 256)
  return mean(scores[name](changed, labels.subarray(0, COUNT)))
}

const spoil = (degradation: Degradation) => {
  const generator = rng(1)
  return (image: Float32Array): Float32Array => degrade(image, 16, { ...degradation, generator })
}

describe.each(['labelling reward', 'judge'] as const)('%s', (name) => {
  test.each([
    ['blur', [0, 0.5, 0.7, 1]],
    ['faint', [0, 0.2, 0.3, 0.45, 0.6]],
    ['noise', [0, 0.1, 0.2, 0.35]],
  ] as const)('falls with every visible step of %s', (kind, strengths) => {
    const levels = strengths.map((strength) => scored(name, spoil({ [kind]: strength })))
    for (let i = 1; i < levels.length; i++) expect(levels[i]).toBeLessThan(levels[i - 1]! - 0.005)
  })

  test('falls with the quality of a mixed collection', () => {
    const levels = [0.9, 0.7, 0.5, 0.25, 0].map((quality) => {
      const batch = degradedBatch(digits.splits.train, { count: COUNT, generator: rng(2), quality })
      return mean(scores[name](batch.images, batch.labels))
    })
    expect(levels).toEqual([...levels].sort((a, b) => b - a))
    expect(levels[0]! - levels.at(-1)!).toBeGreaterThan(0.05)
  })

  test('is not fooled by over-guidance: saturated, bold and thresholded digits score below clean ones', () => {
    const clean = scored(name, (image) => image)
    const saturated = [1.2, 1.5, 2].map((gain) => scored(name, (image) => image.map((v) => clamp(v * gain))))
    const bold = [1.2, 1.5, 2].map((gain) => scored(name, (image) => image.map((v) => clamp((v + 1) * gain - 1))))
    const thresholded = scored(name, (image) => image.map((v) => (v > 0 ? 1 : -1)))
    for (const curve of [saturated, bold]) {
      const falling = [clean, ...curve]
      for (let i = 1; i < falling.length; i++) expect(falling[i]).toBeLessThan(falling[i - 1]!)
    }
    expect(thresholded).toBeLessThan(clean - 0.2)
  })

  test('is not fooled by averages: the mean of a class scores below clean digits of it', () => {
    const { images, labels, count } = digits.splits.train
    const means = new Float32Array(2560)
    const members = new Float32Array(10)
    for (let n = 0; n < count; n++) members[labels[n]!]! += 1
    for (let n = 0; n < count; n++) {
      const digit = labels[n]!
      for (let i = 0; i < 256; i++) means[digit * 256 + i]! += images[n * 256 + i]! / members[digit]!
    }
    expect(mean(scores[name](means, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))).toBeLessThan(
      scored(name, (image) => image) - 0.05,
    )
  })

  test('puts the right class above a wrong one, and is bounded', () => {
    const { images, labels } = digits.splits.train
    const some = images.subarray(0, COUNT * 256)
    const right = scores[name](some, labels.subarray(0, COUNT))
    const wrong = scores[name](
      some,
      labels.subarray(0, COUNT).map((label) => (label + 1) % 10),
    )
    expect(mean(right) - mean(wrong)).toBeGreaterThan(0.1)
    const blank = scores[name](new Float32Array(2560).fill(1), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    for (const value of [...right, ...wrong, ...blank]) expect(value <= 0 && value > -8).toBe(true)
  })

  test('images of another size, missing labels and the null class are refused', () => {
    expect(() => scores[name](new Float32Array(784), [0, 1])).toThrow(ShapeError)
    expect(() => scores[name](new Float32Array(512), [1])).toThrow(ShapeError)
    expect(() => scores[name](new Float32Array(256), [10])).toThrow(ConfigError)
  })
})

test('a reference of the labeller scores exactly 0 with the labeller and less with the judge', () => {
  const { images, labels } = digits.splits.labeller
  const first = images.subarray(0, 256)
  expect(scores['labelling reward'](first, [labels[0]!])[0]).toBeCloseTo(0, 12)
  expect(scores.judge(first, [labels[0]!])[0]).toBeLessThan(-0.05)
})

test('a split that lacks a digit cannot reward it', () => {
  const { images, labels } = digits.splits.labeller
  const few = { images: images.subarray(0, 9 * 256), labels: labels.subarray(0, 9), size: 16, count: 9 }
  expect(() => labellingReward(few)).toThrow(/got 0 of 9/)
  expect(() => digitJudge(few, classifier)).toThrow(ConfigError)
})
