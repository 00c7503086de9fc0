import fc from 'fast-check'
import { expect, test } from 'vitest'
import { betaQuantile } from '../numeric/beta-quantile.ts'
import { ConfigError, noiseCoefficients, noiseSchedule, SchedulerError, uniPc, videoCrafterDdim } from '../index.ts'
import { linspace, linspace32, roundHalfEven } from '../numeric/index.ts'
import { sigmaTable } from './schedule.ts'
import { timestepFinder } from '../sigmas/index.ts'

test('the tables of Stable Diffusion are float32 and span its known noise levels', () => {
  const schedule = noiseSchedule({ betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012 })
  const sigmas = sigmaTable('test', schedule)
  // float32 values of the reference, as in the golden sigmas
  expect(sigmas[0]).toBe(0.029167532920837402)
  expect(sigmas[999]).toBe(14.614646911621094)
  expect(schedule.trainSteps).toBe(1000)
})

test('the cosine schedule follows its formula and is capped at 0.999', () => {
  const { betas, alphasCumprod } = noiseSchedule({ betaSchedule: 'squaredcos_cap_v2', numTrainTimesteps: 50 })
  const bar = (t: number): number => Math.cos(((t + 0.008) / 1.008) * (Math.PI / 2)) ** 2
  expect(betas[49]).toBe(Math.fround(0.999))
  // All betas but the last must be well inside: an integer division would make them 0.
  for (const i of [1, 10, 30]) expect(alphasCumprod[i]! / (bar((i + 1) / 50) / bar(0))).toBeCloseTo(1, 5)
})

test('rescaling to zero terminal SNR keeps the first level and ends in pure noise', () => {
  const options = { betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012 } as const
  const plain = noiseSchedule(options)
  const rescaled = noiseSchedule({ ...options, rescaleBetasZeroSnr: true })
  expect(rescaled.alphasCumprod[999]).toBe(0)
  expect(rescaled.alphasCumprod[0]).toBeCloseTo(plain.alphasCumprod[0]!, 6)
  expect(rescaled.alphasCumprod[500]).toBeLessThan(plain.alphasCumprod[500]!)
})

test('trained betas replace the formula and its number of timesteps', () => {
  const schedule = noiseSchedule({ trainedBetas: [0.5, 0.5, 0.25] })
  expect(schedule.trainSteps).toBe(3)
  expect([...schedule.alphasCumprod]).toEqual([0.5, 0.25, 0.1875])
})

test('ᾱ falls strictly for any rising betas', () => {
  const beta = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true })
  fc.assert(
    fc.property(beta(1e-5, 0.01), beta(0.01, 0.05), (betaStart, betaEnd) => {
      const { alphasCumprod } = noiseSchedule({ betaStart, betaEnd, numTrainTimesteps: 200 })
      expect(alphasCumprod.every((value, i) => i === 0 || value < alphasCumprod[i - 1]!)).toBe(true)
    }),
  )
})

test('training coefficients have unit power and follow the timesteps of the batch', () => {
  const schedule = noiseSchedule()
  const { signal, noise } = noiseCoefficients(schedule, [0, 500, 999, 500])
  expect(signal).toHaveLength(4)
  expect(signal[1]).toBe(signal[3])
  expect(signal[0]).toBe(Math.fround(Math.sqrt(schedule.alphasCumprod[0]!)))
  signal.forEach((value, i) => {
    expect(value ** 2 + noise[i]! ** 2).toBeCloseTo(1, 6)
  })
})

test('a training timestep out of range or between two is refused', () => {
  const schedule = noiseSchedule()
  for (const wrong of [-1, 1000, 1.5, Number.NaN]) {
    expect(() => noiseCoefficients(schedule, [wrong])).toThrow(SchedulerError)
  }
  expect(() => noiseCoefficients(schedule, [1000])).toThrow(/whole timestep from 0 to 999, got 1000/)
})

test('a schedule says what its model predicts, and gives no coefficients of a process that it does not tell', () => {
  expect(noiseSchedule().predictionType).toBe('epsilon')
  expect(noiseSchedule({ predictionType: 'sample' }).predictionType).toBe('sample')
  expect(() => noiseSchedule({ predictionType: 'flow_prediction' as 'sample' })).toThrow(ConfigError)
  const flow = uniPc({ useFlowSigmas: true, predictionType: 'flow_prediction' })
  expect(() => noiseCoefficients(flow.schedule, [1])).toThrow(ConfigError)
  expect(() => noiseCoefficients(videoCrafterDdim().schedule, [1])).toThrow(/expected samples noised by a table of ᾱ, got x = √ᾱ·s/)
  expect(noiseCoefficients(videoCrafterDdim({ baseScale: 1 }).schedule, [1]).signal).toHaveLength(1)
})

test('options that make no schedule are refused by name', () => {
  expect(() => noiseSchedule({ betaSchedule: 'cubic' as 'linear' })).toThrow(/betaSchedule to be one of 'linear'/)
  expect(() => noiseSchedule({ numTrainTimesteps: 0 })).toThrow(/numTrainTimesteps to be a whole number/)
  expect(() => noiseSchedule({ betaStart: Number.NaN })).toThrow(ConfigError)
  expect(() => noiseSchedule({ betaStart: 0 })).toThrow(/raise betaStart/)
  expect(() => noiseSchedule({ trainedBetas: [0.1, 2] })).toThrow(ConfigError)
  expect(() => noiseSchedule({ numTrainTimesteps: 1, rescaleBetasZeroSnr: true })).toThrow(/several timesteps/)
  expect(() => noiseSchedule({ betaBegin: 1 } as object)).toThrow(/got 'betaBegin'/)
})

test('halves round to the even neighbour', () => {
  expect([0.5, 1.5, 2.5, 83.25, 83.75, -0.5].map(roundHalfEven)).toEqual([0, 2, 2, 83, 84, 0])
})

test('linspace ends exactly where it was told to', () => {
  expect(linspace(0, 999, 7).at(-1)).toBe(999)
  expect(linspace(3, 9, 1)).toEqual([3])
  expect([...linspace32(0, 1, 1)]).toEqual([0])
  expect(linspace32(0.0001, 0.02, 1000)[999]).toBe(Math.fround(0.02))
})

test('the Beta(0.6, 0.6) quantile is symmetric and inverts its distribution', () => {
  // Simpson's rule on the density in u = x^0.6, where it is smooth at 0.
  const mass = (x: number): number => {
    const [n, end] = [2000, x ** 0.6]
    const f = (u: number): number => (1 - u ** (1 / 0.6)) ** -0.4
    let total = f(0) + f(end)
    for (let i = 1; i < n; i++) total += f((end * i) / n) * (i % 2 === 1 ? 4 : 2)
    return ((total * end) / n / 3 / 0.6) * (0.9181687423997607 / 1.4891922488128171 ** 2)
  }
  for (const p of [0.001, 0.05, 0.3, 0.5]) expect(mass(betaQuantile(p))).toBeCloseTo(p, 9)
  for (const p of [0, 0.2, 0.5]) expect(betaQuantile(p) + betaQuantile(1 - p)).toBeCloseTo(1, 12)
})

test('the timestep of a noise level inverts the table', () => {
  const table = sigmaTable('test', noiseSchedule())
  const find = timestepFinder(table)
  // ln σ of neighbours differs by 0.005 at least and has float32 digits: 1e-3 of a timestep.
  for (const t of [0, 1, 400, 998, 999]) expect(find(table[t]!)).toBeCloseTo(t, 3)
  expect([find(0), find(1e9)]).toEqual([0, 999])
})
