import { ConfigError, Device, ShapeError } from '@antipode/core'
import { philoxNormal } from '@antipode/core/random'
import { noiseCoefficients } from '@antipode/schedulers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gap, schedule, take } from '../testing/toy.ts'
import { drawNoise, type NoiseDraw } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const values = async ({ timesteps, alpha, sigma, noise }: NoiseDraw): Promise<Record<string, number[]>> => ({
  timesteps: [...await take(timesteps.mul(1))], alpha: [...await take(alpha.mul(1))],
  sigma: [...await take(sigma.mul(1))], noise: [...await take(noise.mul(1))],
})

test('a draw depends on seed and step and on nothing else', async () => {
  const at = (seed: number, step: number): Promise<Record<string, number[]>> => values(drawNoise(device, schedule, [4, 3], { seed, step }))
  const first = await at(1, 7)
  await at(1, 8)
  expect(await at(1, 7)).toEqual(first)
  for (const other of [await at(1, 8), await at(2, 7)]) {
    expect(other['timesteps']).not.toEqual(first['timesteps'])
    expect(other['noise']).not.toEqual(first['noise'])
  }
})

test('coefficients are those of the timesteps, and noise is that of the host generator', async () => {
  const draw = drawNoise(device, schedule, [5, 2, 1, 3], { seed: 3, step: 2 })
  expect([draw.timesteps.shape, draw.alpha.shape, draw.sigma.shape, draw.noise.shape]).toEqual([[5], [5, 1, 1, 1], [5, 1, 1, 1], [5, 2, 1, 3]])
  const { timesteps = [], alpha = [], sigma = [], noise = [] } = await values(draw)
  const want = noiseCoefficients(schedule, timesteps)
  expect([alpha, sigma]).toEqual([[...want.signal], [...want.noise]])
  // The GPU's sine and logarithm differ from the host's in the last bits.
  expect(gap(noise, philoxNormal(30, { seed: 3, stream: 2 }))).toBeLessThan(2e-6)
})

test('timesteps are uniform over the schedule', async () => {
  const all: number[] = []
  for (let step = 0; step < 10; step++) all.push(...await take(drawNoise(device, schedule, [1000, 1], { seed: 5, step }).timesteps.mul(1)))
  expect(all.every((t) => Number.isInteger(t) && t >= 0 && t < 1000)).toBe(true)
  const tenths = new Array<number>(10).fill(0)
  for (const t of all) tenths[Math.floor(t / 100)]! += 1
  // 1,000 expected in each, with a deviation of 30: five deviations.
  for (const n of tenths) expect(Math.abs(n - 1000)).toBeLessThan(150)
})

test('seeds, steps, options and batches that mean nothing are refused', () => {
  const draw = (shape: readonly number[], options: object) => () => drawNoise(device, schedule, shape, { seed: 0, step: 0, ...options })
  for (const options of [{ seed: -1 }, { seed: 0.5 }, { step: Number.NaN }, { step: 2 ** 32 }, { stream: 1 }, { weight: 1 }]) expect(draw([2, 2], options)).toThrow(ConfigError)
  for (const shape of [[], [0, 2], [1.5, 2], [1025, 1]]) expect(draw(shape, {})).toThrow(ShapeError)
})

test('everything is given back', () => {
  expect(device.memory().tensors).toBe(0)
})
