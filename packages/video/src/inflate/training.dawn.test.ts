import { concat, constant, Device, evaluate, gradients, split, type Tensor, tensor } from '@antipode/core'
import { adamw } from '@antipode/core/optim'
import { rng } from '@antipode/core/random'
import { digitsUNet, type LabelledImages, loadDigits, movingDigits } from '@antipode/digits'
import { denoising, type Denoiser, drawNoise, type SampleBatch } from '@antipode/npo'
import { noiseSchedule } from '@antipode/schedulers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { batchToFrames, framesToBatch, repeatFrames, TemporalAttention } from '../temporal/index.ts'
import { inflate } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const schedule = noiseSchedule({ betaSchedule: 'squaredcos_cap_v2' })
const frames = 8
const objective = denoising<Tensor>()

interface Draw {
  readonly count: number
  readonly seed: number
  readonly step: number
}

/** Clips with the noise and timesteps of a seed and step; the samples are to be disposed. */
function batchOf(source: LabelledImages, { count, seed, step }: Draw): SampleBatch<Tensor> {
  const { clips, labels } = movingDigits(source, { count, frames, generator: rng(seed, { stream: step }) })
  const samples = tensor(device, clips, [count, 1, frames, 16, 16])
  const condition = constant(device, labels, [count], { dtype: 'i32' })
  return { samples, condition, ...drawNoise(device, schedule, samples.shape, { seed, step }) }
}

interface Training {
  readonly params: ReadonlyMap<string, Tensor>
  readonly steps: number
  readonly lr: number
  readonly seed: number
}

/** Optimises some parameters of a model on fresh clips. */
async function train(model: Denoiser<Tensor>, source: LabelledImages, { params, steps, lr, seed }: Training): Promise<void> {
  using optimizer = adamw({ lr })
  for (let step = 0; step < steps; step++) {
    const batch = batchOf(source, { count: 2, seed, step })
    const { loss } = objective.evaluate({ model }, batch)
    const updates = optimizer.update(params, gradients(loss, [...params.values()]))
    await evaluate(...updates)
    for (const t of [batch.samples, ...updates]) t.dispose()
  }
}

test('temporal blocks alone, trained on moving digits, lower the loss on clips they have not seen, by the order of frames', async () => {
  const { splits } = await loadDigits({ size: 16 })
  using video = inflate(digitsUNet(device, 'digits-16', { seed: 1 }), (init, { channels, endsPair }) =>
    endsPair ? new TemporalAttention(init, { channels, heads: channels / 16, groups: 8 }) : undefined,
  )
  const clips: Denoiser<Tensor> = (x, t, classLabels) => video.forward(x, t, { classLabels })
  const images: Denoiser<Tensor> = (x, t, labels) => {
    const each = video.unet.forward(framesToBatch(x), repeatFrames(t, frames), { classLabels: repeatFrames(labels, frames) })
    return batchToFrames(each, frames)
  }
  const held = batchOf(splits.judge, { count: 8, seed: 99, step: 0 })
  const heldLoss = async (model: Denoiser<Tensor>): Promise<number> => {
    using value = objective.evaluate({ model }, held).loss
    return await value.item()
  }
  /** Largest change of a prediction when the frames of a clip run backwards, after turning it round again. */
  const reversal = async (): Promise<number> => {
    const backwards = (x: Tensor): Tensor => concat(split(x, frames, 2).reverse(), 2)
    using there = clips(held.samples, held.timesteps, held.condition)
    using back = backwards(clips(backwards(held.samples), held.timesteps, held.condition))
    await evaluate(there, back)
    const values = await back.data()
    return Math.max(...(await there.data()).map((v, i) => Math.abs(v - values[i]!)))
  }

  await train(images, splits.train, { params: video.unet.state(), steps: 60, lr: 5e-3, seed: 7 })
  const imageWeights = await video.unet.state().get('conv_in.weight')?.data()
  const before = await heldLoss(clips)
  expect(before).toBe(await heldLoss(images))
  expect(await reversal()).toBeLessThan(1e-5)

  await train(clips, splits.train, { params: video.temporal.state(), steps: 30, lr: 1e-2, seed: 8 })
  const after = await heldLoss(clips)
  // Measured: 0.2518 before, 0.2216 after; half of that gain is asked for, as adapters sum in other orders.
  expect(after).toBeLessThan(0.94 * before)
  expect(await reversal()).toBeGreaterThan(1e-2)
  expect(await video.unet.state().get('conv_in.weight')?.data()).toEqual(imageWeights)

  held.samples.dispose()
  expect(device.memory().tensors).toBe(video.parameters().length)
})
