import { tensor } from '@antipode/core'
import { rng } from '@antipode/core/random'
import { FakeHost, gradientGap } from '@antipode/core/testing'
import { beforeAll, expect, test } from 'vitest'
import { degradedBatch, type Digits, type LabelledImages, loadDigits } from './data/index.ts'
import { labellingReward } from './rewards.ts'
import { tensorLabellingReward } from './tensor-reward.ts'

let digits: Digits
let reference: LabelledImages
beforeAll(async () => {
  digits = await loadDigits({ size: 16 })
  const { labeller } = digits.splits
  // Enough to choose among, and few enough for the references of operations.
  reference = { ...labeller, count: 40, images: labeller.images.subarray(0, 40 * 256), labels: labeller.labels.subarray(0, 40) }
})

test('images are worth what the labelling reward says', async () => {
  const { images, labels } = degradedBatch(digits.splits.train, { count: 40, generator: rng(2), quality: 0.3 })
  const host = new FakeHost()
  using reward = await tensorLabellingReward(host, reference)
  using rewards = reward(tensor(host, images, [40, 1, 16, 16]), tensor(host, labels, [40], { dtype: 'i32' }))
  const want = labellingReward(reference)(images, labels)
  Array.from(await rewards.data()).forEach((got, i) => { expect(got).toBeCloseTo(want[i]!, 6) })
})

test('its gradient is that of the distance to the nearest digit', async () => {
  const { images, labels } = degradedBatch(digits.splits.train, { count: 2, generator: rng(3), quality: 0.3 })
  const host = new FakeHost()
  using reward = await tensorLabellingReward(host, reference)
  const samples = tensor(host, images, [2, 1, 16, 16])
  const rewards = reward(samples, tensor(host, labels, [2], { dtype: 'i32' }))
  expect(gradientGap(rewards.sum(), { samples }, { each: 8 }).relative).toBeLessThan(1e-6)
})
