import type { Tensor } from '@antipode/core'
import { largestGap } from '@antipode/core/testing'
import { noiseSchedule } from '@antipode/schedulers'
import { expect, test } from 'vitest'
import { Leaves } from '../objectives/testing/oracle.ts'
import golden from './inversion.golden.json' with { type: 'json' }
import { type InversionStep, inversionSteps, inverted } from './inverted-pairs.ts'

const schedule = noiseSchedule({ betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012 })

test('steps go up from the sample, at the timesteps and levels of the inverse scheduler', () => {
  const steps = inversionSteps(schedule, 10)
  expect(steps.map(({ timestep }) => timestep)).toEqual([1, 101, 201, 301, 401, 501, 601, 701, 801, 901])
  const alphaBars: Readonly<Record<string, number>> = golden.alphaBars
  for (const [i, { from, to }] of steps.slice(0, 5).entries()) {
    expect(from.signal ** 2).toBeCloseTo(alphaBars[i === 0 ? '0' : `${i * 100 - 99}`] ?? Number.NaN, 6)
    expect(to.signal ** 2).toBeCloseTo(alphaBars[`${i * 100 + 1}`] ?? Number.NaN, 6)
  }
  // The interval above the last step ends at the last timestep there is.
  expect(steps.every(({ deviation }) => deviation > 0 && deviation < 1)).toBe(true)
  expect(inversionSteps(schedule, 5).map(({ timestep }) => timestep)).toEqual([1, 201, 401, 601, 801])
})

test('samples are led backwards as the released script leads them', () => {
  const leaves = new Leaves()
  const alphaBars: Readonly<Record<string, number>> = golden.alphaBars
  const level = (t: number): { signal: number; noise: number } => {
    const a = alphaBars[`${Math.max(t, 0)}`] ?? Number.NaN
    return { signal: Math.sqrt(a), noise: Math.sqrt(1 - a) }
  }
  const shape = [2, 2, 4, 4]
  const draw = {
    predictionType: 'epsilon' as const, timesteps: leaves.of([450, 450], [2]), noise: leaves.of(Array<number>(64).fill(0), shape),
    alpha: leaves.of([level(450).signal], [1, 1, 1, 1]), sigma: leaves.of([level(450).noise], [1, 1, 1, 1]),
  }
  let x: Tensor = leaves.of(golden.x0, shape)
  const clean = x
  for (const [i, { timestep }] of inversionSteps(schedule, 10).slice(0, 5).entries()) {
    const [to, above] = [level(timestep), level(timestep + 100)]
    const variance = (to.noise / above.noise) ** 2 * (1 - (above.signal / to.signal) ** 2)
    const step: InversionStep = { timestep, from: level(timestep - 100), to, deviation: Math.sqrt(variance) }
    const noise = leaves.of(golden.noises.slice(64 * i, 64 * (i + 1)), shape).mul(0.1)
    x = inverted(x, x.mul(0.7).tanh().mul(timestep / 1000), step, draw, noise)
  }
  // Coefficients are numbers of a kernel, f32: a run of five steps keeps seven digits.
  expect(largestGap(Float64Array.from(golden.x), leaves.read(x))).toBeLessThan(1e-8)
  const implied = x.sub(clean.mul(draw.alpha)).div(draw.sigma)
  expect(largestGap(Float64Array.from(golden.implied), leaves.read(implied))).toBeLessThan(1e-8)
})
