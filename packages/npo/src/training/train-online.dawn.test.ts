import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, constant, Device, randn, type Tensor } from '@antipode/core'
import { adamw } from '@antipode/core/optim'
import { ddim, flowMatchSde } from '@antipode/schedulers'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { d3po, danceGrpo, draftLv, draft, negate } from '../objectives/index.ts'
import {
  groupAdvantages, policyRollouts, type PolicySteps, renoisedRollouts, rewardChoice, rewardRollouts,
  selfRollouts, trajectoryPairs, type TrajectoryPairs,
} from '../preferences/index.ts'
import { ToyDenoiser } from '../testing/toy.ts'
import { type OnlineOptions, train, trainOnline, type TrainStep } from './index.ts'

let device: Device
let folder: string
beforeAll(async () => {
  device = await Device.request()
  folder = mkdtempSync(join(tmpdir(), 'antipode-online-'))
})
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await device[Symbol.asyncDispose]()
})

const [count, calls] = [16, 4]
const condition = (): Tensor => constant(device, [1, 0], [1, 2]).expand([count, 2])
/** Points to the right are better. */
const reward = (x: Tensor): Tensor => x.slice(1, 0, 1).squeeze(1)
const groups = Array<string>(count).fill('right')
const flow = flowMatchSde()

/** Runs of a flow model that learns from its own steps; `means` gets the mean reward of each round. */
async function run(
  changes: Partial<OnlineOptions<PolicySteps<Tensor>>> = {}, means: number[] = [],
): Promise<TrainStep[]> {
  using model = ToyDenoiser.of(device, 1, { width: 2, classes: 2, hidden: 16 })
  using optimizer = adamw({ lr: 0.02 })
  const steps: TrainStep[] = []
  for await (const step of trainOnline<PolicySteps<Tensor>>({
    parameters: model.state(), optimizer, steps: 4 * calls, clipNorm: 1, batches: calls, seed: 2, compile: true,
    collect: (round) => {
      const noise = randn(device, [count, 2], { seed: 3, stream: round })
      return policyRollouts<Tensor>(model.denoise, flow, noise, condition(), {
        steps: calls, reward, seed: round,
        advantages: (rewards) => {
          means.push(Array.from(rewards).reduce((a, b) => a + b) / count)
          return groupAdvantages(rewards, groups, { rule: 'dance-grpo' })
        },
      })
    },
    loss: (batch) => danceGrpo<Tensor>({ clip: 0.2 }).evaluate({ model: model.denoise }, batch),
    ...changes,
  })) steps.push(step)
  return steps
}

test('a model that learns from its own steps samples what is rewarded', async () => {
  const means: number[] = []
  const steps = await run({ steps: 6 * 2 * calls, passes: 2 }, means)
  expect(means).toHaveLength(6)
  expect(means[5]).toBeGreaterThan((means[0] ?? 0) + 0.3)
  // The first step of a round learns from what the same weights sampled.
  const begun = steps.filter(({ step }) => step % (2 * calls) === 0)
  expect(begun.map(({ metrics }) => metrics['clipFraction'])).toEqual(Array(6).fill(0))
})

test('an aborted run ends with its round, and goes on to the same weights, to the bit', async () => {
  const at = (name: string) => ({ path: join(folder, `${name}.safetensors`), every: 2 * calls, recipe: 'toy' })
  await run({ checkpoint: at('whole') })
  const controller = new AbortController()
  let seen = 0
  const schedule = (): number => {
    if (++seen === calls - 1) controller.abort(new Error('enough'))
    return 1
  }
  await expect(run({ checkpoint: at('parts'), signal: controller.signal, schedule })).rejects.toThrow('enough')
  expect(seen).toBe(calls)
  await run({ checkpoint: at('parts'), resume: true })
  expect(readFileSync(at('parts').path).equals(readFileSync(at('whole').path))).toBe(true)
})

test('a model learns which of its runs are preferred, and goes on after a stop as if there had been none', async () => {
  const asked: number[] = []
  const learn = async (changes: Partial<OnlineOptions<TrajectoryPairs<Tensor>>>): Promise<void> => {
    using model = ToyDenoiser.of(device, 1, { width: 2, classes: 2, hidden: 16 })
    using policy = ToyDenoiser.of(device, 1, { width: 2, classes: 2, hidden: 16 })
    using optimizer = adamw({ lr: 0.02 })
    const objective = d3po<Tensor>({ beta: 1, clip: 0.5 })
    for await (const _ of trainOnline<TrajectoryPairs<Tensor>>({
      parameters: model.state(), optimizer, steps: 3 * calls, clipNorm: 1, batches: calls, seed: 2, compile: true,
      collect: (round) => trajectoryPairs<Tensor>(
        model.denoise, flow, randn(device, [count, 2], { seed: 3, stream: round }), condition(), {
          steps: calls, seed: round,
          choose: async (first, second, told) => {
            using mean = reward(first).mean()
            asked.push(await mean.item())
            return rewardChoice(reward)(first, second, told)
          },
        },
      ),
      loss: (pairs) => objective.evaluate({ model: model.denoise, reference: policy.denoise }, pairs),
      ...changes,
    })) { /* Steps are looked at by the files they leave. */ }
  }
  const at = (name: string) => ({ path: join(folder, `${name}.safetensors`), every: calls, recipe: 'pairs' })
  await learn({ checkpoint: at('pairs') })
  expect(asked).toHaveLength(3)
  expect(asked[2]).toBeGreaterThan(asked[0]! + 0.1)
  await learn({ checkpoint: at('pairs-parts'), steps: 2 * calls })
  await learn({ checkpoint: at('pairs-parts'), resume: true })
  expect(readFileSync(at('pairs-parts').path).equals(readFileSync(at('pairs').path))).toBe(true)
})

test('rounds that are no whole steps, or give too little, are refused, and what they gave is disposed', async () => {
  const checkpoint = { path: join(folder, 'none'), every: 3, recipe: 'toy' }
  for (const changes of [{ batches: 0 }, { passes: 0.5 }, { seed: -1 }, { accumulate: 3 }, { checkpoint }]) {
    await expect(run(changes)).rejects.toThrow(ConfigError)
  }
  await expect(run({ batches: calls + 1, steps: 5 })).rejects.toThrow(/expected 5 batches of a round, got 4/)
})

test('runs stop before their graded calls, and the gradient of a reward raises it or lowers it', async () => {
  using model = ToyDenoiser.of(device, 1, { width: 2, classes: 2, hidden: 8 })
  const scheduler = ddim({ clipSample: false, eta: 0.5 })
  const options = { model: model.denoise, scheduler, steps: calls, shape: [count, 2], condition, seed: 5 }
  for (const graded of [1, 2, calls]) {
    const { batch, release } = rewardRollouts<Tensor>(device, { ...options, graded })
    const made = await batch(0)
    expect([made.state.solver.step, made.noises.length]).toEqual([calls - graded, graded])
    const again = await batch(0)
    expect(await again.state.sample.data()).toEqual(await made.state.sample.data())
    for (const one of [made, again]) release(one)
  }
  await expect(rewardRollouts<Tensor>(device, { ...options, graded: 9 }).batch(0)).rejects.toThrow(/graded from 1 to 4/)
  const drawn = rewardRollouts<Tensor>(device, { ...options, graded: (random) => 1 + random.int(calls) })
  const lengths = new Set<number>()
  for (let step = 0; step < 12; step++) {
    const made = await drawn.batch(step)
    lengths.add(made.noises.length)
    drawn.release(made)
  }
  expect(lengths.size).toBe(calls)
  const rewards: number[] = []
  for (const objective of [draft<Tensor>({ scheduler, reward }), negate(draft<Tensor>({ scheduler, reward }))]) {
    using learner = ToyDenoiser.of(device, 1, { width: 2, classes: 2, hidden: 8 })
    using optimizer = adamw({ lr: 0.02 })
    const { batch, release } = rewardRollouts<Tensor>(device, { ...options, model: learner.denoise, graded: 2 })
    for await (const { metrics } of train({
      parameters: learner.state(), optimizer, steps: 8, batch, release,
      loss: (made) => objective.evaluate({ model: learner.denoise }, made),
    })) rewards.push(metrics['reward'] as number)
  }
  expect(rewards[7]).toBeGreaterThan((rewards[0] ?? 0) + 0.1)
  expect(rewards[15]).toBeLessThan((rewards[8] ?? 0) - 0.1)
})

test('batches of DRaFT-LV and Self-NPO are made and released', async () => {
  using model = ToyDenoiser.of(device, 1, { width: 2, classes: 2, hidden: 8 })
  const scheduler = ddim({ clipSample: false, setAlphaToOne: false })
  const lv = renoisedRollouts<Tensor>(device, {
    model: model.denoise, scheduler, steps: calls, shape: [count, 2], condition, seed: 5, draws: 3,
  })
  const renoised = await lv.batch(1)
  expect([renoised.samples.shape, renoised.noises.length, renoised.solver.step]).toEqual([[count, 2], 3, calls - 1])
  using loss = draftLv<Tensor>({ scheduler, reward }).evaluate({ model: model.denoise }, renoised).loss
  expect(Number.isFinite(await loss.item())).toBe(true)
  lv.release(renoised)
  const samples = randn(device, [count, 2], { seed: 1 })
  const self = selfRollouts<Tensor>(device, {
    teacher: model.denoise, unconditional: (c) => c, scheduler, seed: 7,
    samples: () => ({ samples, condition: condition() }),
  })
  const [one, other] = [await self.batch(0), await self.batch(1)]
  expect(await one.sample.data()).not.toEqual(await other.sample.data())
  expect((await one.target.data()).every(Number.isFinite)).toBe(true)
  for (const made of [one, other]) self.release(made)
})
