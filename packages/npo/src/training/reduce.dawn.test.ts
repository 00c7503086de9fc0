import { ConfigError, Device, evaluate, ShapeError, type Tensor, tensor } from '@antipode/core'
import { adamw } from '@antipode/core/optim'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { denoising, type SampleBatch } from '../objectives/index.ts'
import { drawOf, gap, ToyDenoiser } from '../testing/toy.ts'
import { type NamedGradients, type ReduceGradients, train, type TrainStep } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const upload = (data: ArrayLike<number>, shape: readonly number[]): Tensor => tensor(device, data, shape)
const samples = [1, 0.5, 0.9, 0.6, -1, -0.5, -0.9, -0.6]
const noise = [0.3, -1.2, 0.8, 0.1, -0.7, 1.5, 0.2, -0.4]
const timesteps = [20, 300, 650, 910]

/** Rows of a batch of four. */
function rows(from: number, to: number): SampleBatch<Tensor> {
  const part = (all: readonly number[]): Tensor => upload(all.slice(2 * from, 2 * to), [to - from, 2])
  const draw = drawOf(part(noise), timesteps.slice(from, to), upload)
  return { ...draw, samples: part(samples), condition: part(Array<number>(8).fill(0.5)) }
}

/** Two steps of a fresh toy on some rows; its steps and the weights they end in. */
async function trained(
  batch: SampleBatch<Tensor>, reduce?: ReduceGradients, compile = false,
): Promise<{ steps: TrainStep[]; weights: Float32Array[] }> {
  using model = ToyDenoiser.of(device, 3, { width: 2, classes: 2, hidden: 8 })
  using optimizer = adamw({ lr: 0.02 })
  const steps: TrainStep[] = []
  try {
    for await (const step of train<SampleBatch<Tensor>>({
      parameters: model.state(), optimizer, steps: 2, clipNorm: 0.3, batch: () => batch, compile,
      loss: (b) => denoising<Tensor>().evaluate({ model: model.denoise }, b), ...(reduce ? { reduce } : {}),
    })) steps.push(step)
    return { steps, weights: await Promise.all(model.parameters().map(async (t) => await t.data() as Float32Array)) }
  } finally {
    const { samples: clean, noise: drawn, condition, timesteps: at, alpha, sigma } = batch
    for (const t of [clean, drawn, condition, at, alpha, sigma]) t.dispose()
  }
}

/** Takes the mean of what two runs bring, as two devices would over a wire: each gets tensors of its own. */
function meanOfTwo(): ReduceGradients {
  let waiting: { values: Map<string, Float32Array>; resolve: (other: Map<string, Float32Array>) => void } | undefined
  return async (gradients) => {
    const values = new Map<string, Float32Array>()
    for (const [name, t] of gradients) values.set(name, await t.data() as Float32Array)
    let other: Map<string, Float32Array>
    if (waiting) {
      waiting.resolve(values)
      other = waiting.values
      waiting = undefined
    } else other = await new Promise((resolve) => { waiting = { values, resolve } })
    return new Map([...values].map(([name, own]) => {
      const mean = own.map((v, i) => (v + other.get(name)![i]!) / 2)
      return [name, upload(mean, gradients.get(name)?.shape ?? [])]
    }))
  }
}

test('two halves of a batch whose gradients are reduced by their mean make the steps of the whole batch', async () => {
  const whole = await trained(rows(0, 4))
  const reduce = meanOfTwo()
  const halves = await Promise.all([trained(rows(0, 2), reduce), trained(rows(2, 4), reduce, true)])
  expect(halves[1].weights).toEqual(halves[0].weights)
  for (const [i, want] of whole.weights.entries()) expect(gap(halves[0].weights[i] ?? [], want)).toBeLessThan(2e-6)
  for (const [k, { gradNorm, loss }] of whole.steps.entries()) {
    // Clipped by the norm of the mean, which both runs report; losses are each run's own.
    const [a, b] = [halves[0].steps[k] as TrainStep, halves[1].steps[k] as TrainStep]
    expect(a.gradNorm).toBe(b.gradNorm)
    expect(Math.abs(a.gradNorm / gradNorm - 1)).toBeLessThan(2e-6)
    expect(Math.abs((a.loss + b.loss) / 2 / loss - 1)).toBeLessThan(2e-6)
    expect(a.metrics['error']).toBe(a.loss)
  }
})

test('gradients that come back as they are, evaluated or not, make the same step to the bit', async () => {
  const whole = await trained(rows(0, 4))
  const seen: number[] = []
  const same = await trained(rows(0, 4), (gradients, step) => {
    seen.push(step)
    return gradients
  })
  expect(seen).toEqual([0, 1])
  expect(same.steps).toEqual(whole.steps)
  expect(same.weights).toEqual(whole.weights)
  const each = (gradients: NamedGradients, change: (t: Tensor) => Tensor): Map<string, Tensor> =>
    new Map([...gradients].map(([name, t]) => [name, change(t)]))
  const lazy = await trained(rows(0, 4), (gradients) => each(gradients, (t) => t.mul(2).mul(0.5)))
  expect(lazy.weights).toEqual(whole.weights)
  const evaluated = await trained(rows(0, 4), async (gradients) => {
    const copies = each(gradients, (t) => t.mul(1))
    await evaluate(...copies.values())
    return copies
  })
  expect(evaluated.weights).toEqual(whole.weights)
})

test('gradients that are missing or of another shape are refused, and nothing is left behind', async () => {
  const without: ReduceGradients = (gradients) => new Map([...gradients].slice(1))
  await expect(trained(rows(0, 4), without)).rejects.toThrow(/to give a gradient \[8,5\] of "fc1.weight", got none/)
  const flat: ReduceGradients = (gradients) => new Map([...gradients].map(([name, t]) => [name, t.reshape([-1])]))
  await expect(trained(rows(0, 4), flat)).rejects.toThrow(ShapeError)
  await expect(trained(rows(0, 4), 'mean' as never)).rejects.toThrow(ConfigError)
})
