import { gradients, type Tensor, tensor } from '@antipode/core'
import { FakeHost, interpret } from '@antipode/core/testing'
import type { LossAndMetrics } from '@antipode/npo'
import { expect, test } from 'vitest'
import golden from './contrastive-loss.golden.json' with { type: 'json' }
import { contrastiveLoss } from './index.ts'

const host = new FakeHost()
const [rows, width] = [6, 5]
const leaf = (values: readonly number[], shape: readonly number[]): Tensor => tensor(host, values, shape)
const same = (captions: readonly number[]): Tensor =>
  leaf(captions.flatMap((a) => captions.map((b) => Number(a === b))), [captions.length, captions.length])

/** Loss, metrics and gradients in float64. */
function measured(
  { loss, metrics }: LossAndMetrics, leaves: readonly Tensor[],
): { loss: number; metrics: Record<string, number>; grads: Float64Array[] } {
  const names = Object.keys(metrics)
  const [lossValue, ...rest] = interpret([loss, ...Object.values(metrics), ...gradients(loss, leaves)])
  const numbers = rest.slice(0, names.length).map((value) => value[0]!)
  return {
    loss: lossValue![0]!, metrics: Object.fromEntries(names.map((name, i) => [name, numbers[i]!])),
    grads: rest.slice(names.length),
  }
}

// Both compute in float64, from numbers that float32 holds.
test.each(golden.cases)('loss, metrics and gradients are those of torch: $name', (one) => {
  const leaves = [leaf(golden.images, [rows, width]), leaf(golden.texts, [rows, width]), leaf([one.logitScale], [])] as const
  const got = measured(contrastiveLoss(...leaves, { sameCaption: same(one.captions) }), leaves)
  expect(got.loss).toBeCloseTo(one.loss, 11)
  expect(got.metrics['accuracy']).toBeCloseTo(one.accuracy, 12)
  expect(got.metrics['scale']).toBeCloseTo(one.scale, 11)
  got.grads.forEach((grad, k) => {
    const want = one.gradients[k]!
    expect(grad).toHaveLength(want.length)
    want.forEach((value, i) => { expect(grad[i]).toBeCloseTo(value, 11) })
  })
  if (new Set(one.captions).size === rows) {
    const plain = measured(contrastiveLoss(...leaves), leaves)
    expect([plain.loss, plain.metrics]).toEqual([got.loss, got.metrics])
  }
})

test('embeddings that are all the same have a loss of ln B, and partners that stand out by nothing count as missed', () => {
  const all = (value: number): Tensor => leaf(new Array<number>(8).fill(value), [4, 2])
  const leaves = [all(0.5), all(-3), leaf([2], [1])] as const
  const { loss, metrics, grads } = measured(contrastiveLoss(...leaves), leaves)
  expect(loss).toBeCloseTo(Math.log(4), 12)
  expect(metrics['accuracy']).toBe(0)
  expect(grads[2]![0]).toBeCloseTo(0, 12)
})

test('lengths of embeddings do not matter, and a row of zeros has a loss and no gradient', () => {
  const values = golden.images.map((v, i) => (i < width ? 0 : v))
  const scale = leaf([1], [])
  const leaves = [leaf(values, [rows, width]), leaf(golden.texts, [rows, width])] as const
  const texts = golden.texts.map((v) => v / 4)
  const longer = [leaf(values.map((v) => 8 * v), [rows, width]), leaf(texts, [rows, width])] as const
  const [got, scaled] = [leaves, longer].map(([a, b]) => measured(contrastiveLoss(a, b, scale), [a, b]))
  expect(scaled!.loss).toBeCloseTo(got!.loss, 12)
  expect(Number.isFinite(got!.loss)).toBe(true)
  expect(got!.grads[0]!.every(Number.isFinite)).toBe(true)
})

test.each<[string, number[], number[], number[], number[]?]>([
  ['expected embeddings [B, D] of as many texts as pictures, got [2,3] and [3,3]', [2, 3], [3, 3], []],
  ['got [6] and [6]', [6], [6], []],
  ['expected one logitScale, got [2]', [2, 3], [2, 3], [2]],
  ['expected sameCaption [2,2], got [2]', [2, 3], [2, 3], [1], [2]],
])('%s', (message, images, texts, scale, sameCaption) => {
  const of = (shape: readonly number[]): Tensor => leaf(new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(1), shape)
  const options = sameCaption ? { sameCaption: of(sameCaption) } : {}
  expect(() => contrastiveLoss(of(images), of(texts), of(scale), options)).toThrow(message)
})
