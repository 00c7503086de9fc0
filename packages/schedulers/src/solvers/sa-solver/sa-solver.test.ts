import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { convergenceOrder } from '../../testing/index.ts'
import { saSolver, type SaSolverConfig } from './sa-solver.ts'
import { saCoefficients } from './update.ts'

interface Level {
  readonly signal: number
  readonly noise: number
}
type Made = ReturnType<typeof saCoefficients>

const [start, end, before] = [1.5, 0.9, 2.1].map((sigma) => {
  const signal = 1 / Math.hypot(sigma, 1)
  return { signal, noise: sigma * signal }
}) as [Level, Level, Level]

test('SA-Solver without noise is of its corrector’s order, of x₀ and of ε', () => {
  const order = (options: Partial<SaSolverConfig>, steps: number): number =>
    convergenceOrder(
      saSolver({
        predictionType: 'sample',
        useExponentialSigmas: true,
        betaSchedule: 'scaled_linear',
        tau: 0,
        lowerOrderFinal: false,
        ...options,
      }),
      steps,
    )
  for (const algorithmType of ['data_prediction', 'noise_prediction'] as const) {
    expect(order({ algorithmType, predictorOrder: 1, correctorOrder: 1 }, 400)).toBeCloseTo(1, 1)
    expect(order({ algorithmType, predictorOrder: 1, correctorOrder: 2 }, 400)).toBeCloseTo(2, 1)
    // The corrector's third order and the predictor's second add up.
    expect(order({ algorithmType, predictorOrder: 2, correctorOrder: 3 }, 100)).toBeGreaterThan(2.9)
    expect(order({ algorithmType, predictorOrder: 3, correctorOrder: 3 }, 100)).toBeGreaterThan(2.9)
  }
})

test('a step with any amount of noise keeps clean samples and the variance of the noise', () => {
  for (const tau of [0, 0.5, 1, 2]) {
    for (const nodes of [[start], [start, before], [end, start], [end, start, before]]) {
      const { sample, outputs, noise } = saCoefficients(true, tau, start, end, nodes)
      const clean = outputs.reduce((sum, weight) => sum + weight, sample * start.signal)
      expect(clean).toBeCloseTo(end.signal, 12)
      expect(Math.hypot(sample * start.noise, noise)).toBeCloseTo(end.noise, 12)
    }
  }
})

test('without noise the first order of both predictions is DDIM', () => {
  const [data, epsilon] = [true, false].map((onData) => saCoefficients(onData, 0, start, end, [start])) as [Made, Made]
  // x' = (α′/α)·x + (σ′ − σ·α′/α)·ε, with ε = (x − α·x₀)/σ
  const ratio = end.signal / start.signal
  const spread = end.noise - start.noise * ratio
  expect(epsilon.outputs[0]).toBeCloseTo(spread, 12)
  expect(data.sample).toBeCloseTo(ratio + spread / start.noise, 12)
  expect(data.outputs[0]).toBeCloseTo((-spread * start.signal) / start.noise, 12)
  expect([data.noise, epsilon.noise]).toEqual([0, 0])
})

test('noise comes in between the given timesteps, and none is drawn without tau', () => {
  const zero = Float32Array.of(0)
  const spread = (options: Partial<SaSolverConfig>, startAt: number): number => {
    const scheduler = saSolver({ predictionType: 'sample', ...options })
    return scheduler.step(float32Linear, scheduler.begin<Float32Array>(10, startAt), zero, zero, Float32Array.of(1)).sample[0]!
  }
  // 999, 899, 799, … 200, 100
  expect([1, 2, 8, 9].map((startAt) => spread({}, startAt) > 0)).toEqual([false, true, true, false])
  expect(spread({ tauHigh: 1000 }, 1)).toBeGreaterThan(0)
  expect(spread({ tauLow: 201 }, 8)).toBe(0)
  expect(saSolver({ tau: 0 }).needsNoise(saSolver({ tau: 0 }).begin(10))).toBe(false)
})

test('the state holds what the orders look back on, and the noise to correct with', () => {
  const scheduler = saSolver({ predictorOrder: 2, correctorOrder: 4 })
  const x = Float32Array.of(0.5, -1)
  let state = scheduler.begin<Float32Array>(6)
  const held: number[] = []
  for (let i = 0; i < 5; i++) {
    const noise = Float32Array.of(i, -i)
    ;({ state } = scheduler.step(float32Linear, state, x, x, noise))
    held.push(state.history.length)
    expect(state.slots['noise']).toBe(noise)
  }
  expect(held).toEqual([1, 2, 3, 3, 3])
})

test('options that do not go together are refused by name', () => {
  const refuses = (options: Partial<SaSolverConfig>, reason: RegExp): void => {
    expect(() => saSolver(options)).toThrow(reason)
  }
  refuses({ predictorOrder: 5 }, /predictorOrder from 1 to 4/)
  refuses({ correctorOrder: 5 }, /correctorOrder from 1 to 4/)
  refuses({ predictionType: 'flow_prediction' }, /useFlowSigmas/)
  const flow = { predictionType: 'flow_prediction', useFlowSigmas: true } as const
  refuses({ ...flow, algorithmType: 'noise_prediction' }, /algorithmType 'data_prediction'/)
  expect(saSolver(flow).timesteps(4).sigmas).toHaveLength(5)
})
