import { CheckpointError, ConfigError, ShapeError } from '@antipode/core'
import { rng } from '@antipode/core/random'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { digitClassifier } from './classifier.ts'
import { loadDigits } from './data/index.ts'
import { loadDigitClassifier } from './load-classifier.ts'
import { trainDigitClassifier } from './train-classifier.ts'

const { splits } = await loadDigits({ size: 16 })

test('the shipped classifier reads digits that it was not trained on', async () => {
  const classifier = await loadDigitClassifier()
  for (const { images, labels } of [splits.train, splits.labeller]) {
    expect(classifier.accuracy(images, labels, 16)).toBeGreaterThan(0.95)
  }
})

test('28x28 images are read as their 16x16 averages', async () => {
  const classifier = await loadDigitClassifier()
  const full = (await loadDigits({ size: 28 })).splits.labeller
  const some = full.images.subarray(0, 20 * 784)
  expect(classifier.logits(some, 28)).toEqual(classifier.logits(splits.labeller.images.subarray(0, 20 * 256), 16))
})

test('probabilities of the ten classes add up to one', async () => {
  const classifier = await loadDigitClassifier()
  const image = splits.labeller.images.subarray(0, 256)
  const total = Array.from({ length: 10 }, (_, digit) => classifier.probability(image, [digit], 16)[0]!).reduce(
    (a, b) => a + b,
  )
  expect(total).toBeCloseTo(1, 6) // ten f32 roundings
})

test('training learns, and the same seed gives the same weights', () => {
  const options = { steps: 250, hidden: 16 }
  const once = trainDigitClassifier(splits.judge, { ...options, generator: rng(3) })
  expect(once.accuracy(splits.labeller.images, splits.labeller.labels, 16)).toBeGreaterThan(0.6)
  const again = trainDigitClassifier(splits.judge, { ...options, generator: rng(3) })
  expect(again.weights).toEqual(once.weights)
})

test('an aborted training stops with the reason', () => {
  const signal = AbortSignal.abort(new Error('enough'))
  expect(() => trainDigitClassifier(splits.judge, { steps: 5, generator: rng(1), signal })).toThrow('enough')
})

test('weights that do not fit, images of another size and bad options are refused', async () => {
  const classifier = await loadDigitClassifier()
  expect(() => digitClassifier({ ...classifier.weights, hidden: 7 })).toThrow(ShapeError)
  expect(() => classifier.logits(new Float32Array(400), 20)).toThrow(ShapeError)
  expect(() => classifier.accuracy(new Float32Array(256), [], 16)).toThrow(ShapeError)
  expect(() => trainDigitClassifier(splits.judge, { steps: 0, generator: rng(1) })).toThrow(ConfigError)
})

test('a damaged weight file is refused', async () => {
  const header = JSON.stringify({ format: 'antipode-digit-classifier', version: 1, hidden: 4 })
  const length = new Uint8Array(new Uint32Array([header.length]).buffer)
  const source = new Uint8Array(gzipSync(Buffer.concat([length, Buffer.from(header), new Uint8Array(8)])))
  await expect(loadDigitClassifier({ source })).rejects.toThrow(CheckpointError)
})
