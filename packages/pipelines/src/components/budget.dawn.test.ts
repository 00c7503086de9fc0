import { fileURLToPath } from 'node:url'
import { Device, OutOfMemoryError, type Tensor } from '@antipode/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { MemoryPlan, Pipeline, StableDiffusionXLOptions } from '../index.ts'
import { loadPipeline } from './index.ts'

let device: Device
beforeAll(async () => {
  device = await Device.request()
})
afterAll(async () => {
  await device[Symbol.asyncDispose]()
})

const folder = fileURLToPath(new URL('../../test/sd', import.meta.url))
const call = { prompt: 'the cat', height: 16, width: 16, steps: 2, seed: 3 } as const
const load = (budget?: number): Promise<Pipeline<StableDiffusionXLOptions>> =>
  loadPipeline(device, folder, { dtype: 'f32', ...(budget === undefined ? {} : { budget }) })

async function numbers(pixels: Tensor): Promise<readonly number[]> {
  const values = [...(await pixels.data())]
  pixels.dispose()
  return values
}
const drawn = async (pipe: Pipeline<StableDiffusionXLOptions>, guidanceScale: number): Promise<readonly number[]> =>
  numbers((await pipe({ ...call, guidanceScale, output: 'pixels' })).pixels)

/** The smallest budget, which one that is too small is told. */
async function smallest(): Promise<number> {
  using pipe = await load(1)
  try {
    pipe.plan(call)
  } catch (error) {
    expect(error).toBeInstanceOf(OutOfMemoryError)
    return Number(/budget of (\d+) bytes/.exec((error as Error).message)?.[1])
  }
  return Number.NaN
}

test('a run keeps within its budget, and draws the picture that it draws without one', async () => {
  const free = await load()
  const { peak } = free.plan(call)
  const [plain, guided] = [await drawn(free, 1), await drawn(free, 7.5)]
  free[Symbol.dispose]()
  const budget = await smallest()
  expect(budget).toBeLessThan(0.7 * peak)

  using pipe = await load(budget)
  expect(device.memory().tensors).toBe(0)
  device.trim()
  device.resetPeak()
  const plans: MemoryPlan[] = []
  let last: readonly number[] = []
  for await (const { latents } of pipe.stream({ ...call, onPlan: (plan) => plans.push(plan) })) {
    // To look at a step takes the decoder's place on the GPU, and the next step takes it back.
    last = await numbers(await pipe.decode(latents))
  }
  expect(plans.map(({ choices: { branches, leaving } }) => [branches, ...leaving])).toEqual([
    ['apart', 'text_encoder', 'vae', 'unet'],
  ])
  expect(plans[0]!.peak).toBe(budget)
  // A batch of two is summed in another order than two passes; guidance multiplies that by 7.5.
  expect(Math.max(...last.map((v, i) => Math.abs(v - guided[i]!)))).toBeLessThan(1e-5)
  // One after the other, as together they would not fit.
  expect(await Promise.all([drawn(pipe, 1), drawn(pipe, 1)])).toEqual([plain, plain])
  expect(device.memory().peak).toBeLessThanOrEqual(budget)
  pipe[Symbol.dispose]()
  expect(device.memory().tensors).toBe(0)
})
