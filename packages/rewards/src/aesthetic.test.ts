import { gradients, ShapeError, type Tensor, tensor } from '@antipode/core'
import { placeholders, randomParameters } from '@antipode/core/nn'
import { fillWithWaves, FakeHost, gradientGap, interpret, waves } from '@antipode/core/testing'
import { type CLIPVisionConfig, CLIPVisionModelWithProjection } from '@antipode/models'
import { beforeAll, expect, test } from 'vitest'
import golden from './aesthetic.golden.json' with { type: 'json' }
import { AestheticHead, aestheticReward } from './index.ts'

const host = new FakeHost()

/** A head whose parameters are waves, of embeddings of 24 numbers. */
let model: AestheticHead
beforeAll(async () => {
  const made = AestheticHead.of(randomParameters(host, { seed: 0 }), { width: 24 })
  await fillWithWaves(made)
  model = made
})

const scores = (rows: readonly (readonly number[])[]): Float64Array => {
  const embeddings: Tensor = tensor(host, rows.flat(), [rows.length, 24])
  return interpret([model.forward(embeddings)])[0] ?? new Float64Array()
}
const unit = (i: number, size: number): number[] => Array.from({ length: 24 }, (_, k) => (k === i ? size : 0))

test('parameters have the names and shapes of the released checkpoint', () => {
  const names = [...model.state()].map(([name, { shape }]) => `${name} ${shape.join('×')}`)
  expect(names).toEqual([
    'layers.0.weight 1024×24', 'layers.0.bias 1024', 'layers.2.weight 128×1024', 'layers.2.bias 128',
    'layers.4.weight 64×128', 'layers.4.bias 64', 'layers.6.weight 16×64', 'layers.6.bias 16',
    'layers.7.weight 1×16', 'layers.7.bias 1',
  ])
})

test('the head is the affine map that torch makes of the same parameters', () => {
  // The last row is the first one's opposite.
  const rows = [...Array.from({ length: 24 }, (_, i) => unit(i, 0.25)), unit(0, -0.25)]
  const got = scores(rows)
  const bias = (got[0]! + got[24]!) / 2
  const weight = Array.from(got.slice(0, 24), (v) => v - bias)
  const { collapsedWeight, collapsedBias } = golden
  // The golden file has nine digits.
  for (const [i, want] of collapsedWeight.first8.entries()) expect(Math.abs(weight[i]! - want)).toBeLessThan(1e-10)
  expect(Math.abs(weight.reduce((a, b) => a + b) - collapsedWeight.sum)).toBeLessThan(1e-10)
  expect(Math.abs(weight.reduce((a, b) => a + Math.abs(b), 0) / 24 - collapsedWeight.absMean)).toBeLessThan(1e-10)
  expect(Math.abs(bias - collapsedBias)).toBeLessThan(1e-9)
})

test('the length of an embedding does not count, and gradients follow its direction', () => {
  const row = Array.from({ length: 24 }, (_, i) => Math.cos(i))
  const [once, thrice] = scores([row, row.map((v) => 3 * v)])
  expect(Math.abs((thrice ?? Number.NaN) - (once ?? 0))).toBeLessThan(1e-8)
  const embeddings = tensor(host, row, [1, 24])
  expect(gradientGap(model.forward(embeddings).sum(), { embeddings }, { each: 4 }).relative).toBeLessThan(1e-6)
  expect(() => model.forward(embeddings.reshape([24]))).toThrow(ShapeError)
})

test('a picture has the score of the whole chain of torch, from resize to head, and its gradient', async () => {
  const vision = new CLIPVisionModelWithProjection(placeholders(host), golden.vision as CLIPVisionConfig)
  await fillWithWaves(vision, /embedding\.weight$|class_embedding$/)
  const picture = waves(host, 'input.image', [1, 3, 40, 52], 0.5, 0.45)
  const score = aestheticReward(vision, model)(picture, undefined)
  const [values, slopes] = interpret([score, ...gradients(score.sum(), [picture])]) as [Float64Array, Float64Array]
  // Golden numbers have nine digits, those of the gradient less of the largest.
  expect(Math.abs(values[0]! - golden.aesthetic)).toBeLessThan(2e-9)
  const { gradient } = golden
  expect(Math.abs(slopes.reduce((sum, v) => sum + Math.abs(v), 0) / gradient.l1 - 1)).toBeLessThan(1e-6)
  for (const [i, want] of gradient.first.entries()) {
    expect(Math.abs(slopes[i]! - want)).toBeLessThan(1e-3 * gradient.absMean)
  }
})
