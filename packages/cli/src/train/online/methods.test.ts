import { concat, type Tensor, tensor } from '@antipode/core'
import { adapterParameters, addAdapter, type Initialiser, Linear, lora, Module, randomParameters } from '@antipode/core/nn'
import { adamw } from '@antipode/core/optim'
import { FakeHost } from '@antipode/core/testing'
import { ddim, noiseSchedule } from '@antipode/schedulers'
import { afterEach, expect, test } from 'vitest'
import { type OnlineMethod, onlineMethods, resolveOnline } from '../../train-settings/index.ts'
import { methods, type OnlineRun } from './methods.ts'

const device = new FakeHost()
afterEach(() => { expect(device.memory().tensors).toBe(0) })

/** Denoises points of the plane under a class. */
class Toy extends Module {
  readonly input: Linear
  readonly output: Linear

  constructor(init: Initialiser) {
    super()
    this.input = Linear.of(init, 4, 8)
    this.output = Linear.of(init, 8, 2)
  }

  forward(x: Tensor, t: Tensor, c: Tensor): Tensor {
    const features = [x, t.div(1000).unsqueeze(1), c.to('f32').unsqueeze(1)]
    return this.output.forward(this.input.forward(concat(features, 1)).silu())
  }
}

const schedule = noiseSchedule()

/** Four updates of a method by the mean of both coordinates as the reward; metrics of each, and whether the adapter moved. */
async function learnt(method: OnlineMethod, changes: object = {}): Promise<{ rewards: number[]; moved: boolean }> {
  using toy = new Toy(randomParameters(device, { seed: 1 }))
  addAdapter(toy, 'toy', lora({ rank: 2, targets: /input|output/, seed: 2 }))
  const parameters = adapterParameters(toy, 'toy')
  using optimizer = adamw({ lr: 0.05 })
  const denoiser = (weights: Record<string, number>) => {
    const model = toy.with(weights)
    return (x: Tensor, t: Tensor, c: Tensor) => model.forward(x, t, c)
  }
  const sampler = (eta: number) => ddim({ eta, clipSample: false, setAlphaToOne: false, stepsOffset: 1 })
  const classes: Tensor[] = []
  const labels = (values: readonly number[]): Tensor => {
    const made = tensor(device, values)
    classes.push(made)
    return made
  }
  const run: OnlineRun<Tensor> = {
    settings: { ...resolveOnline({ method, model: 'digits-16', batch: 4, steps: 4, ...changes }), runSteps: 5 },
    adapter: 'toy', tuned: denoiser({ toy: 1 }), frozen: denoiser({}), sampler: sampler(0), policy: sampler(1),
    shared: { parameters, optimizer, steps: 4, clipNorm: 1 },
    task: {
      unet: toy, targets: /./, schedule, denoiser: denoiser as never, shape: (count) => [count, 2], prompts: ['0', '1'], digest: '',
      condition: (numbers) => labels(numbers.map((i) => i % 2)), unconditional: (c) => labels(new Array<number>(c.size).fill(-1)),
      reward: (samples) => samples.mean({ axes: 1 }), pictures: (samples) => samples, [Symbol.dispose]: () => undefined,
    },
  }
  const rewards: number[] = []
  for await (const { metrics } of methods[method](run)) rewards.push(metrics['reward'] ?? Number.NaN)
  let moved = false
  for (const [name, t] of parameters) if (name.endsWith('lora_B.weight')) moved ||= (await t.data()).some((v) => v !== 0)
  for (const t of classes) t.dispose()
  return { rewards, moved }
}

test.each(onlineMethods)('%s learns for as many updates as it is asked for, and leaves nothing behind', async (method) => {
  const { rewards, moved } = await learnt(method)
  expect(rewards).toHaveLength(4)
  expect(moved).toBe(true)
})

test('the gradient of a reward raises it, and negated lowers it', async () => {
  const [up, down] = [await learnt('draft'), await learnt('draft', { negated: true })].map(({ rewards }) => rewards)
  expect(up![0]).toBe(down![0])
  // Of the same noises and classes.
  expect(up!.at(-1)!).toBeGreaterThan(down!.at(-1)! + 0.1)
})
