import { Device } from '@antipode/core'
import { adapterParameters, removeAdapter } from '@antipode/core/nn'
import { digitsInTurn, labellingReward, loadDigits, sampleImages, tensorLabellingReward } from '@antipode/digits'
import { labelPairs } from '@antipode/npo'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadBase } from '../../demo/index.ts'
import { suiteRecipe } from '../recipe.ts'
import type { Training } from '../trainings.ts'
import { beginTraining, methods, type SeedMaterial } from './index.ts'

let material: SeedMaterial
const release: (() => unknown)[] = []
beforeAll(async () => {
  const device = await Device.request()
  const { splits } = await loadDigits({ size: 16 })
  const { unet } = await loadBase(device, 'digits-16', undefined)
  const recipe = suiteRecipe({ seed: 0, seeds: 1 })
  const labels = Int32Array.from({ length: 40 }, (_, i) => digitsInTurn(20)[Math.floor(i / 2)]!)
  const { signal } = new AbortController()
  const images = await sampleImages(device, unet, { positive: {}, negative: {}, scale: 1, steps: 4, batch: 40, seed: 1, labels, side: 16 })
  const pairs = labelPairs(images, labels, labellingReward(splits.labeller), { temperature: 0.02, seed: 0 })
  const reward = await tensorLabellingReward(device, splits.labeller)
  release.push(() => { reward[Symbol.dispose]() }, () => { unet.dispose() }, () => device[Symbol.asyncDispose]())
  material = {
    device, unet, seed: 0, side: 16, pairs, morePairs: pairs, reward, signal,
    recipe: { ...recipe, training: { ...recipe.training, batch: 8, runSteps: 6, warmup: 1 } },
  }
})
afterAll(async () => { for (const one of release) await one() })

/** Trains, and gives the last value of a metric, or of the loss. */
async function trained(training: Omit<Training, 'id'>, steps: number, metric: string): Promise<number[]> {
  const id = `${training.method}-${training.form}`
  using context = beginTraining(material, { ...training, id }, steps)
  const values: number[] = []
  for await (const { loss, metrics } of methods[training.method](context)) values.push(metrics[metric] ?? loss)
  const moved = await Promise.all([...adapterParameters(material.unet, id)].map(async ([key, t]) =>
    key.includes('lora_A') || (await t.data()).some((v) => v !== 0)))
  expect(moved.every(Boolean)).toBe(true)
  removeAdapter(material.unet, id)
  return values
}

test('a reward is raised by η and lowered by its negation', async () => {
  const [up, down] = [await trained({ method: 'draft', form: 'eta', weights: 'lora' }, 6, 'reward'), await trained({ method: 'draft', form: 'swap', weights: 'lora' }, 6, 'reward')]
  expect(up[0]).toBe(down[0])
  expect(up.at(-1)!).toBeGreaterThan(down.at(-1)! + 0.02)
})

test('steps that branch start at even odds, inside of guidance too', async () => {
  const [first, second] = await trained({ method: 'spo', form: 'guided', weights: 'full' }, 2, 'loss')
  expect(first).toBeCloseTo(Math.LN2, 4)
  expect(second).not.toBe(first)
})

test('Self-NPO follows the average of its own weights from the second step on', async () => {
  const errors = await trained({ method: 'self', form: 'swap', weights: 'lora' }, 3, 'error')
  expect(errors.every((error) => error > 0 && error < Infinity)).toBe(true)
  expect(new Set(errors).size).toBe(3)
})
