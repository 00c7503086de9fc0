import { CheckpointError, ConfigError, NumericError, ShapeError } from '@antipode/core'
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
  expect(() => trainDigitClassifier(splits.judge, { steps: 1, generator: rng(1), learningRate: Infinity })).toThrow('expected learningRate to be')
  expect(() => trainDigitClassifier(splits.judge, { steps: 1, generator: rng(1), lr: 1 } as never)).toThrow('got lr; remove or rename it')
  expect(() => trainDigitClassifier(splits.judge, { steps: 1, generator: {} as never })).toThrow('expected generator to be')
  expect(() => trainDigitClassifier({ ...splits.judge, count: 2999 }, { steps: 1, generator: rng(1) })).toThrow(ShapeError)
  expect(() => digitClassifier({ ...classifier.weights, hidden: 0 })).toThrow(ConfigError)
  await expect(loadDigitClassifier({ url: 'x' } as never)).rejects.toThrow('loadDigitClassifier: expected options among source, got url')
})

test('an image with NaN in it is named instead of read as some digit', async () => {
  const classifier = await loadDigitClassifier()
  const images = splits.labeller.images.slice(0, 512)
  images[300] = Number.NaN
  expect(() => classifier.predict(images, 16)).toThrow(new NumericError('DigitClassifier: expected images of numbers, got a score that is none for image 1; look for NaN in it', { where: 'image 1' }))
})

test('a damaged weight file is refused', async () => {
  const header = JSON.stringify({ format: 'antipode-digit-classifier', version: 1, hidden: 4 })
  const length = new Uint8Array(new Uint32Array([header.length]).buffer)
  const source = new Uint8Array(gzipSync(Buffer.concat([length, Buffer.from(header), new Uint8Array(8)])))
  await expect(loadDigitClassifier({ source })).rejects.toThrow(CheckpointError)
})

test.each([['no hidden units', 0, 0], ['hidden units in words', '1', 0], ['a weight that is NaN', 1, Number.NaN]])('a weight file with %s is refused', async (_, hidden, weight) => {
  const header = JSON.stringify({ format: 'antipode-digit-classifier', version: 1, hidden })
  const length = new Uint8Array(new Uint32Array([header.length]).buffer)
  const values = new Float32Array(Number(hidden) * 267 + 10).fill(weight)
  const source = new Uint8Array(gzipSync(Buffer.concat([length, Buffer.from(header), new Uint8Array(values.buffer)])))
  await expect(loadDigitClassifier({ source })).rejects.toThrow(CheckpointError)
})
