import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { isDone, type SchedulerState } from '../../run/index.ts'
import { convergenceOrder, testModel, torchNormals } from '../../testing/index.ts'
import { ddim } from '../ddim/index.ts'
import { videoCrafterDdim } from './video-crafter-ddim.ts'

test('without noise and rescale it is of first order', () => {
  const scheduler = videoCrafterDdim({ eta: 0, baseScale: 1 })
  // Both numbers of steps must end at one timestep.
  const begin: typeof scheduler.begin = (steps) =>
    scheduler.begin({ timesteps: Array.from({ length: Number(steps) + 1 }, (_, i) => 999 - (900 / Number(steps)) * i) })
  const order = convergenceOrder({ ...scheduler, begin }, 90, (clean, x, { signal, noise }) => (x - signal * clean) / noise)
  expect(order).toBeCloseTo(1, 2)
})

test('a run takes every ⌊T/N⌋-th timestep from 1, however many those are', () => {
  const { timesteps, previous } = videoCrafterDdim().timesteps(25)
  expect(timesteps.slice(0, 2)).toEqual([961, 921])
  expect(timesteps.slice(-2)).toEqual([41, 1])
  expect(previous!.slice(-2)).toEqual([1, 0])
  expect(videoCrafterDdim().timesteps(30).timesteps).toHaveLength(31)
  // The reference reads past its table here, at 1000.
  expect(videoCrafterDdim().timesteps(3).timesteps).toEqual([667, 334, 1])
})

test('the clean latent sinks to the base scale within the turning step', () => {
  const scheduler = videoCrafterDdim()
  const scale = (t: number): number =>
    scheduler.level(scheduler.begin({ timesteps: [t] })).signal / Math.sqrt(scheduler.schedule.alphasCumprod[t]!)
  expect(scale(0)).toBe(1)
  expect(scale(200)).toBeCloseTo(1 - (0.3 * 200) / 399, 7)
  expect(scale(399)).toBeCloseTo(0.7, 7)
  expect(scale(999)).toBeCloseTo(0.7, 7)
})

test('a run is that of the lvdm sampler, written out', () => {
  const [count, size] = [25, 32]
  const scheduler = videoCrafterDdim()
  const start = torchNormals(3)(size)
  const draws = (): ((n: number) => Float32Array) => torchNormals(4)

  let [state, x]: [SchedulerState<Float32Array>, Float32Array] = [scheduler.begin(count), start]
  const normals = draws()
  while (!isDone(state)) {
    const prediction = testModel(x, state.plan.timesteps[state.step]!)
    ;({ state, sample: x } = scheduler.step(float32Linear, state, prediction, x, normals(size)))
  }

  // The reference's arrays, from clean to noisy, and its loop over them backwards.
  let product = 1
  const alphasCumprod = Array.from({ length: 1000 }, (_, t) => {
    const root = Math.sqrt(0.00085) + (t / 999) * (Math.sqrt(0.012) - Math.sqrt(0.00085))
    return (product *= 1 - root ** 2)
  })
  const scales = Array.from({ length: 1000 }, (_, t) => (t < 400 ? 1 - (t / 399) * 0.3 : 0.7))
  const timesteps = Array.from({ length: count }, (_, i) => 40 * i + 1)
  const before = [0, ...timesteps.slice(0, -1)]
  const again = draws()
  let y = Float64Array.from(start)
  for (let i = count - 1; i >= 0; i--) {
    const [t, s] = [timesteps[i]!, before[i]!]
    const [a, b] = [alphasCumprod[t]!, alphasCumprod[s]!]
    const sigma = Math.sqrt(((1 - b) / (1 - a)) * (1 - a / b))
    const noise = again(size)
    y = y.map((value, k) => {
      const e = (value * t) / (t + 1)
      const x0 = (value - Math.sqrt(1 - a) * e) / Math.sqrt(a) / scales[t]!
      return Math.sqrt(b) * scales[s]! * x0 + Math.sqrt(1 - b - sigma ** 2) * e + sigma * noise[k]!
    })
  }
  const largest = Math.max(...y.map(Math.abs))
  x.forEach((value, i) => {
    expect(Math.abs(value - y[i]!) / largest).toBeLessThan(5e-6)
  })
})

test('without the rescale a step is that of DDIM', () => {
  const steps = { timesteps: [900, 600, 300] }
  const latent = { betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012, clipSample: false } as const
  const [x, epsilon, noise] = [Float32Array.of(0.3, -1), Float32Array.of(-0.2, 0.5), Float32Array.of(1, -2)]
  const next = [videoCrafterDdim({ baseScale: 1 }), ddim({ ...latent, eta: 1 })].map(
    (scheduler) => scheduler.step(float32Linear, scheduler.begin<Float32Array>(steps), epsilon, x, noise).sample,
  )
  next[0]!.forEach((value, i) => {
    // Tables of float64 against those of float32.
    expect(Math.abs(value / next[1]![i]! - 1)).toBeLessThan(1e-5)
  })
})
