import { expect, test } from 'vitest'
import { currentTimestep, isDone } from '../../run/index.ts'
import { float32Linear } from '../../linear/index.ts'
import { convergenceOrder, testModel } from '../../testing/index.ts'
import { deisMultistep, type DeisConfig } from './deis-multistep.ts'
import golden from './deis-multistep.golden.json' with { type: 'json' }
import { exponentialMoments, multistepWeights } from '../../multistep/index.ts'

const course = {
  predictionType: 'sample',
  useExponentialSigmas: true,
  betaSchedule: 'scaled_linear',
  lowerOrderFinal: false,
} as const

test('DEIS is of the order that it is told', () => {
  const order = (solverOrder: number, steps: number): number =>
    convergenceOrder(deisMultistep({ ...course, solverOrder }), steps)
  expect(order(1, 50)).toBeCloseTo(1, 1)
  expect(order(2, 50)).toBeCloseTo(2, 1)
  // The first step has no history and an error of h², which shows at third order once the steps are fine.
  expect(order(3, 25)).toBeGreaterThan(2.9)
  expect(order(3, 100)).toBeGreaterThan(2.9)
})

test('the weights are the integrals of the Lagrange polynomials in ln ρ', () => {
  const [h, nodes] = [0.4, [0, -0.9, -2.3]]
  const weights = multistepWeights(nodes, exponentialMoments(-h, 3))
  // ∫ L_k dρ from the step's start, ρ = 1, to its end, ρ = e^−h, by Simpson's rule
  const end = Math.exp(-h)
  const lagrange = (rho: number, k: number): number => {
    const v = -Math.log(rho) / h
    return nodes.reduce((product, node, i) => (i === k ? product : (product * (v - node)) / (nodes[k]! - node)), 1)
  }
  weights.forEach((weight, k) => {
    const count = 400
    const sum = Array.from({ length: count + 1 }, (_, i) => {
      const factor = i === 0 || i === count ? 1 : i % 2 === 0 ? 2 : 4
      return factor * lagrange(1 + ((end - 1) * i) / count, k)
    }).reduce((total, one) => total + one, 0)
    expect(-end * h * weight).toBeCloseTo((sum * (end - 1)) / count / 3, 11)
  })
})

test('third order equals the reference as far as its float32 antiderivatives reach', () => {
  const { steps, observed } = golden.cases.find(({ config }) => config.solver_order === 3)!
  const scheduler = deisMultistep({ betaStart: 0.00085, betaEnd: 0.012, betaSchedule: 'scaled_linear', solverOrder: 3 })
  let state = scheduler.begin<Float32Array>(steps)
  let x = Float32Array.from({ length: 768 }, (_, i) => i / 768)
  while (!isDone(state)) {
    const made = scheduler.step(float32Linear, state, testModel(x, currentTimestep(state)), x)
    state = made.state
    x = new Float32Array(made.sample)
  }
  expect(Math.abs(x.reduce((sum, one) => sum + one, 0) / observed.sum - 1)).toBeLessThan(2e-5)
})

test('the last step of a curve changes nothing, since the level stays', () => {
  const scheduler = deisMultistep({ useKarrasSigmas: true })
  const [x, model] = [Float32Array.of(0.5, -2), Float32Array.of(1, 1)]
  const state = scheduler.begin<Float32Array>(10, 9)
  expect(state.plan.sigmas![9]).toBe(state.plan.sigmas![10])
  expect(scheduler.step(float32Linear, state, model, x).sample).toEqual(x)
})

test('a flow takes its own shift a run', () => {
  const flow = { predictionType: 'flow_prediction', useFlowSigmas: true } as const
  const fixed = deisMultistep({ ...flow, flowShift: 3 }).timesteps(4)
  const dynamic = deisMultistep({ ...flow, useDynamicShifting: true })
  expect(fixed.sigmas).toHaveLength(5)
  expect(dynamic.timesteps({ count: 4, mu: Math.log(3) })).toEqual(fixed)
  expect(() => dynamic.timesteps(4)).toThrow(/expected mu/)
})

test('options that do not go together are refused by name', () => {
  const refuses = (options: Partial<DeisConfig>): void => {
    expect(() => deisMultistep(options)).toThrow(/deisMultistep: expected (solverOrder|useFlowSigmas|at most one)/)
  }
  refuses({ solverOrder: 4 })
  refuses({ predictionType: 'flow_prediction' })
  refuses({ useDynamicShifting: true })
  refuses({ useFlowSigmas: true, useBetaSigmas: true })
})
