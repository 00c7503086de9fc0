import { ConfigError, concat, gradients, tensor } from '@antipode/core'
import { placeholders } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { beforeAll, expect, test } from 'vitest'
import { imageReward, ImageRewardModel, loadImageReward } from './index.ts'
import golden from './image-reward.golden.json' with { type: 'json' }

const host = new FakeHost()
const config = {
  vision: { imageSize: 28, patchSize: 7, width: 32, layers: 2, heads: 4 },
  text: { vocabulary: 60, positions: 64, width: 24, inner: 48, layers: 2, heads: 3 },
}
const picture = waves(host, 'input.image', [1, 3, 40, 52], 0.5, 0.45)
const ids = tensor(host, golden.tokenIds.flat(), [2, 12], { dtype: 'i32' })

const model = new ImageRewardModel(placeholders(host), config)
beforeAll(async () => {
  // Shapes of the golden file are arrays of numbers, by the names of the published one, which has more.
  const shapes = Object.entries(golden.shapes as unknown as Record<string, number[]>)
  const unused: [string, number[]][] = [['blip.vision_proj.weight', [2, 2]], ['blip.text_proj.bias', [2]]]
  await loadImageReward(model, new Map([...shapes, ...unused].map(([name, shape]) => {
    return [name, waveParameter(host, name, shape)]
  })))
})

test("scores and their gradient are those of ImageReward's own code, from its names", () => {
  const reward = imageReward(model)
  const [got = [], slopes = new Float64Array()] = interpret([
    reward(concat([picture, picture]), ids), ...gradients(reward(picture, ids.slice(0, 0, 1)).sum(), [picture]),
  ])
  for (const [i, want] of golden.scores.entries()) expect(Math.abs(got[i]! - want)).toBeLessThan(1e-7)
  const { gradient } = golden
  expect(Math.abs(slopes.reduce((sum, v) => sum + Math.abs(v), 0) / gradient.l1 - 1)).toBeLessThan(1e-6)
  expect(Math.abs(slopes.reduce((sum, v) => sum + v, 0) - gradient.sum) / gradient.l1).toBeLessThan(1e-6)
  for (const [i, want] of gradient.first.entries()) {
    expect(Math.abs(slopes[i]! - want) * slopes.length / gradient.l1).toBeLessThan(1e-4)
  }
})

test('at full size the vision tower has the parameters of ViT-L/16', () => {
  const { blip } = new ImageRewardModel(placeholders(host))
  // That of timm has 304,326,632 with its classes.
  expect(blip.visualEncoder.parameterCount).toBe(304_326_632 - 1_025_000)
})

test('prompts of other counts, and sizes that are none, are refused', () => {
  const message = 'of a prompt of at most 64 tokens for each picture, got [2,12]'
  expect(() => imageReward(model)(picture, ids)).toThrow(message)
  expect(() => new ImageRewardModel(placeholders(host), { text: { width: 0 } })).toThrow(ConfigError)
})
