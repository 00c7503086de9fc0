import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { convergenceOrder } from '../../testing/index.ts'
import { ddim } from '../ddim/index.ts'
import { pndm } from './pndm.ts'
import { transfer } from './transfer.ts'

// σ begins well above 0, near which it grows like √t and no method keeps its order.
const smooth = { trainedBetas: Array.from({ length: 1000 }, (_, t) => (t === 0 ? 0.3 : 0.0005 + (0.0115 * t) / 1000)) }

test('PNDM is of second order on ε by either start, and of first order on v', () => {
  for (const skipPrkSteps of [false, true]) {
    const onNoise = convergenceOrder(pndm({ ...smooth, skipPrkSteps }), 50, (clean, x, { signal, noise }) => {
      return (x - signal * clean) / noise
    })
    expect(onNoise).toBeCloseTo(2, 1)
    const scheduler = pndm({ ...smooth, skipPrkSteps, predictionType: 'v_prediction' })
    const onVelocity = convergenceOrder(scheduler, 50, (clean, x, { signal, noise }) => {
      return (signal * (x - signal * clean)) / noise - noise * clean
    })
    expect(onVelocity).toBeCloseTo(1, 1)
  }
})

test('the first three of ten steps take four calls each', () => {
  const plan = pndm({ stepsOffset: 1 }).timesteps(10)
  const warmUp = [901, 851, 851, 801, 801, 751, 751, 701, 701, 651, 651, 601]
  expect(plan.timesteps).toEqual([...warmUp, 601, 501, 401, 301, 201, 101, 1])
  expect(plan.starts).toEqual([0, 4, 8, 12, 13, 14, 15, 16, 17, 18])
})

test('without the Runge–Kutta steps the first step takes two calls', () => {
  const plan = pndm({ stepsOffset: 1, skipPrkSteps: true }).timesteps(5)
  expect(plan.timesteps).toEqual([801, 601, 601, 401, 201, 1])
  expect(plan.previous).toEqual([601, 601, 401, 201, 1, -1])
  expect(plan.starts).toEqual([0, 2, 3, 4, 5])
})

test('runs of fewer than four steps end with a multistep step', () => {
  expect([1, 2, 3, 4].map((count) => pndm().timesteps(count).timesteps.length)).toEqual([1, 5, 9, 13])
  expect(pndm({ skipPrkSteps: true }).timesteps(1).timesteps).toEqual([0])
})

test('an update whose end lies beside the next timestep keeps to its stride', () => {
  // ⌊1000/7⌋ = 142, and 999·5/6 rounds to 832.
  const { timesteps, previous, extra } = pndm({ timestepSpacing: 'linspace', skipPrkSteps: true }).timesteps(7)
  expect(timesteps.slice(0, 3)).toEqual([999, 832, 832])
  expect(previous!.slice(0, 3)).toEqual([857, 832, 690])
  expect(extra!['from']!.slice(0, 3)).toEqual([999, 974, 832])
})

test('a run that begins at a later step begins with a step of DDIM', () => {
  const [x, epsilon] = [Float32Array.of(0.5, -2), Float32Array.of(1, 0.25)]
  const [one, other] = [pndm(), ddim({ clipSample: false })].map((scheduler) =>
    scheduler.step(float32Linear, scheduler.begin<Float32Array>(10, 6), epsilon, x),
  )
  one!.sample.forEach((value, i) => {
    expect(Math.abs(value - other!.sample[i]!)).toBeLessThan(1e-6)
  })
  expect(one!.state.history).toEqual([epsilon])
})

test('tensors of a step are forgotten at its end, and of the slopes four are kept', () => {
  const scheduler = pndm()
  const x = Float32Array.of(1, -2)
  let state = scheduler.begin<Float32Array>(8)
  const kept: [slots: number, slopes: number][] = []
  for (let call = 0; call < 15; call++) {
    ;({ state } = scheduler.step(float32Linear, state, x, x))
    kept.push([Object.keys(state.slots).length, state.history.length])
  }
  const expected = [1, 2, 3].flatMap((slopes) => [2, 2, 2, 0].map((slots) => [slots, slopes]))
  expect(kept).toEqual([...expected, [0, 4], [0, 4], [0, 4]])
})

test('the hook on x₀ decides where a step goes', () => {
  const scheduler = pndm({ skipPrkSteps: true })
  const state = scheduler.begin<Float32Array>(5)
  const [x, zero] = [Float32Array.of(2, -1), { x0: (x0: Float32Array): Float32Array => x0.map(() => 0) }]
  const { sample, state: next } = scheduler.step(float32Linear, state, x, x, undefined, zero)
  const ratio = scheduler.level(next).noise / scheduler.level(state).noise
  sample.forEach((one, i) => {
    expect(Math.abs(one / (x[i]! * ratio) - 1)).toBeLessThan(1e-6)
  })
})

test('velocity at an ᾱ near 0 equals the reference once sums are rounded as the reference rounds them', () => {
  // The first step is the difference of two terms that are 2,000 times as large, which magnifies their rounding as much.
  const scheduler = pndm({ numTrainTimesteps: 1100, betaSchedule: 'squaredcos_cap_v2', predictionType: 'v_prediction', timestepSpacing: 'linspace' })
  const state = scheduler.begin<Float32Array>(8)
  const [from, to] = [state.plan.timesteps[0]!, state.plan.previous![0]!]
  expect([from, to]).toEqual([1099, 1031])
  const [start, end] = [from, to].map((t) => scheduler.schedule.alphasCumprod[t]!) as [number, number]
  expect(Math.sqrt(end / start)).toBeGreaterThan(2000)
  const f = Math.fround
  const weights = transfer(start, end)
  const x = Float32Array.of(0.3, -1.2, 0.8, 0.1)
  const v = x.map((value) => f(0.5 * value) + f(from / 2000))
  const epsilon = x.map((value, i) => f(f(Math.sqrt(start)) * v[i]!) + f(f(Math.sqrt(f(1 - start))) * value))
  const rounded = x.map((value, i) => f(weights.sample * value) + f(weights.noise * epsilon[i]!))
  // diffusers 0.42.1's PNDMScheduler in float32
  const reference = [0.231323242, -1.18945312, 0.704833984, 0.0418701172]
  const { sample } = scheduler.step(float32Linear, state, v, x)
  reference.forEach((value, i) => {
    expect(Math.abs(rounded[i]! - value)).toBeLessThan(2 * 2147 * 2 ** -25)
    // Half a unit in the last place of each term.
    expect(Math.abs(sample[i]! - value)).toBeLessThan(2 * 2147 * 1.2 * 2 ** -24)
  })
})
