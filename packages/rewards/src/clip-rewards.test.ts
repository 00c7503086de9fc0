import { concat, ConfigError, gradients, ShapeError, type Tensor, tensor } from '@antipode/core'
import { placeholders } from '@antipode/core/nn'
import { fillWithWaves, FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import type { Reward } from '@antipode/npo'
import { beforeAll, expect, test } from 'vitest'
import golden from './clip-rewards.golden.json' with { type: 'json' }
import {
  clipReward, clipTowers, type ClipTowers, type ClipTowersConfig, clipViTH14, hpsReward, loadClipTowers,
  pickScoreReward,
} from './index.ts'

const host = new FakeHost()
const config = { text: golden.text, vision: golden.vision } as ClipTowersConfig
const picture = (name: string): Tensor => waves(host, name, [1, 3, 40, 52], 0.5, 0.45)
const [one, two] = [picture('input.image'), picture('input.image2')]
/** @param pad what follows an end */
const ids = (prompts: readonly number[], pad: number): Tensor => {
  const rows = prompts.map((k) => golden.tokenIds[k]!)
  const padded = rows.flatMap((row) => [...row, ...Array<number>(9 - row.length).fill(pad)])
  return tensor(host, padded, [rows.length, 9], { dtype: 'i32' })
}
const table = /embedding\.weight$|class_embedding$/
const filled = (name: string, shape: readonly number[]): Tensor => {
  return table.test(name) ? waves(host, name, shape, 0, 0.5) : waveParameter(host, name, shape)
}

interface Slopes {
  readonly sum: number
  readonly l1: number
  readonly first: readonly number[]
}

function expectSlopes(score: Tensor, want: Slopes): void {
  const [got = new Float64Array()] = interpret(gradients(score.sum(), [one]))
  const l1 = got.reduce((sum, v) => sum + Math.abs(v), 0)
  expect(Math.abs(l1 / want.l1 - 1)).toBeLessThan(1e-6)
  expect(Math.abs(got.reduce((sum, v) => sum + v, 0) - want.sum) / want.l1).toBeLessThan(1e-6)
  for (const [i, value] of want.first.entries()) expect(Math.abs(got[i]! - value) * got.length / l1).toBeLessThan(1e-4)
}

type Pairs = readonly (readonly [prompt: number, image: Tensor])[]

function expectScores(reward: Reward<Tensor>, pairs: Pairs, pad: number, want: readonly number[]): void {
  const images = concat(pairs.map(([, image]) => image))
  const [got = []] = interpret([reward(images, ids(pairs.map(([prompt]) => prompt), pad))])
  expect(got.length).toBe(want.length)
  for (const [i, value] of want.entries()) expect(Math.abs(got[i]! - value)).toBeLessThan(1e-7)
}

let towers: ClipTowers
let ofOpenClip: ClipTowers
beforeAll(async () => {
  towers = clipTowers(placeholders(host), config)
  await fillWithWaves(towers.text, table)
  await fillWithWaves(towers.vision, table)
  ofOpenClip = clipTowers(placeholders(host), config)
  // Shapes of the golden file are arrays of numbers, by the names of OpenCLIP.
  const shapes = Object.entries(golden.hps.shapes as unknown as Record<string, number[]>)
  await loadClipTowers(ofOpenClip, new Map(shapes.map(([name, shape]) => [
    name, filled(name, shape),
  ])))
})

test('PickScore and its gradient are those of transformers', () => {
  const reward = pickScoreReward(towers, { logitScale: 2 })
  expectScores(reward, [[0, one], [0, two], [1, one], [1, two]], 546, golden.pickScore.scores)
  expectSlopes(reward(one, ids([0], 546)), golden.pickScore.gradient)
})

test("CLIP's score is 100 cosines, as PickScore's is by default", () => {
  const want = golden.pickScore.scores.map((score) => 100 * score / Math.exp(2))
  const [images, prompts] = [concat([one, two]), ids([0, 0], 546)]
  const scores = [clipReward(towers), pickScoreReward(towers)].map((reward) => reward(images, prompts))
  const [got = [], picked] = interpret(scores)
  for (const i of [0, 1]) expect(Math.abs(got[i]! - want[i]!)).toBeLessThan(1e-6)
  expect(picked).toEqual(got)
})

test('HPS and its gradient are those of open_clip, from its layout, padded and stretched', () => {
  const padded = hpsReward(ofOpenClip)
  expectScores(padded, [[0, one], [1, one]], 0, golden.hps.scores)
  expectSlopes(padded(one, ids([0], 0)), golden.hps.gradient)
  const stretched = hpsReward(ofOpenClip, { fit: 'stretch' })
  const { scores, gradientOfOneMinus } = golden.hps.stretched
  expectScores(stretched, [[0, one], [1, one]], 0, scores)
  expectSlopes(stretched(one, ids([0], 0)).neg().add(1), gradientOfOneMinus)
})

test('a whole CLIP of transformers loads, its temperature aside', async () => {
  const names = [...towers.text.state(), ...towers.vision.state(), ['logit_scale', { shape: [] }] as const]
  const file = new Map(names.map(([name, { shape }]) => [
    name, filled(name, shape),
  ]))
  const made = clipTowers(placeholders(host), config)
  await loadClipTowers(made, file)
  expect(interpret([clipReward(made)(one, ids([0], 546))])).toEqual(interpret([clipReward(towers)(one, ids([0], 546))]))
  file.delete('visual_projection.weight')
  await expect(loadClipTowers(made, file)).rejects.toThrow('visual_projection.weight')
})

test('towers of ViT-H/14 have the parameters that transformers gives them', () => {
  const { text, vision } = clipTowers(placeholders(host))
  expect(clipViTH14.vision.patch_size).toBe(14)
  // Whole, with the temperature: 986,109,441.
  expect([text.parameterCount, vision.parameterCount]).toEqual([354_032_640, 632_076_800])
})

test('prompts for other pictures, and options that are none, are refused', () => {
  expect(() => clipReward(towers)(one, ids([0, 1], 546))).toThrow(ShapeError)
  const message = 'hpsReward: expected token ids [B, N], of a prompt for each picture, got [9] for [1,3,40,52]'
  expect(() => hpsReward(towers)(one, ids([0], 546).squeeze(0))).toThrow(message)
  expect(() => pickScoreReward(towers, { logitScale: Infinity })).toThrow(ConfigError)
  expect(() => hpsReward(towers, { fit: 'cover' } as never)).toThrow(ConfigError)
})
