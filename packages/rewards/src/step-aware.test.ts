import { gradients, ShapeError, type Tensor, tensor } from '@antipode/core'
import { placeholders } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { beforeAll, expect, test } from 'vitest'
import golden from './clip-rewards.golden.json' with { type: 'json' }
import { type ClipTowersConfig, loadStepAwareModel, StepAwareModel, stepAwareScore } from './index.ts'
import stepAware from './step-aware.golden.json' with { type: 'json' }

const host = new FakeHost()
const config = { text: golden.text, vision: golden.vision } as ClipTowersConfig
const waved = (name: string): Tensor => waves(host, name, [1, 3, 55, 40], 0.5, 0.52)
const numbers = ['input.image', 'input.image2'].flatMap((name) => [...interpret([waved(name)])[0]!])
const pictures = tensor(host, numbers, [2, 3, 55, 40])
const padded = golden.tokenIds.flatMap((row) => [...row, ...Array<number>(9 - row.length).fill(546)])
const ids = tensor(host, padded, [2, 9], { dtype: 'i32' })
const timesteps = tensor(host, stepAware.timesteps, [2])

/** The published file's names and shapes, with the golden run's numbers. */
function file(): Map<string, Tensor> {
  // Shapes of the golden file are arrays of numbers, by name.
  const shapes = Object.entries(stepAware.shapes as unknown as Record<string, number[]>)
  return new Map(shapes.map(([name, shape]) => {
    if (name === 'model.logit_scale') return [name, tensor(host, [stepAware.logitScale], [])]
    const table = /embedding\.weight$|class_embedding$/.test(name)
    return [name, table ? waves(host, name, shape, 0, 0.5) : waveParameter(host, name, shape)]
  }))
}

let model: StepAwareModel
beforeAll(async () => {
  model = new StepAwareModel(placeholders(host), config)
  await loadStepAwareModel(model, file())
})

test('scores, each at its timestep, and their slopes are those of torch', () => {
  const score = stepAwareScore(model, pictures, ids, timesteps)
  const [scores, slopes] = interpret([score, ...gradients(score.sum(), [pictures])])
  for (const [i, want] of stepAware.scores.entries()) expect(Math.abs(scores![i]! - want)).toBeLessThan(1e-7)
  const { gradient } = stepAware
  const sum = (of: (v: number) => number): number => slopes!.reduce((total, v) => total + of(v), 0)
  expect(Math.abs(sum(Math.abs) / gradient.l1 - 1)).toBeLessThan(5e-6)
  expect(Math.abs(sum((v) => v) - gradient.sum) / gradient.l1).toBeLessThan(5e-6)
  for (const [i, want] of gradient.values.entries()) {
    expect(Math.abs(slopes![gradient.at[i]!]! / want - 1)).toBeLessThan(2e-5)
  }
})

test('files that count positions too load, and those that lack what the timestep does are refused', async () => {
  const made = new StepAwareModel(placeholders(host), config)
  const positions = tensor(host, [0, 1], [1, 2], { dtype: 'i32' })
  await loadStepAwareModel(made, new Map([...file(), ['model.vision_model.embeddings.position_ids', positions]]))
  const name = 'vision.vision_model.encoder.layers.0.mlp.fc1.weight'
  expect(await made.state().get(name)!.data()).toEqual(await model.state().get(name)!.data())
  const lacking = file()
  lacking.delete('model.vision_model.adaLN_modulation.1.bias')
  await expect(loadStepAwareModel(made, lacking)).rejects.toThrow('time.pooled.bias')
})

test('the published one has the parameters of PickScore, and those of the timestep beside', () => {
  const { time, text, vision, logitScale } = new StepAwareModel(placeholders(host))
  expect(text.parameterCount + vision.parameterCount + logitScale.size).toBe(986_109_441)
  const linear = (inputs: number, outputs: number): number => inputs * outputs + outputs
  const embedder = linear(256, 1280) + linear(1280, 1280)
  expect(time.parameterCount).toBe(32 * linear(1280, 7680) + linear(1280, 2560) + embedder)
})

test('other numbers of prompts or timesteps are refused', () => {
  const [one, first] = [pictures.slice(0, 0, 1), ids.slice(0, 0, 1)]
  for (const call of [
    () => stepAwareScore(model, one, ids, timesteps), () => stepAwareScore(model, pictures, first, timesteps),
    () => stepAwareScore(model, pictures, ids, timesteps.unsqueeze(1)),
    () => stepAwareScore(model, pictures.slice(1, 0, 1), ids, timesteps),
  ]) expect(call).toThrow(ShapeError)
})
