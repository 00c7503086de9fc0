import { expect, test } from 'vitest'
import { convergenceOrder } from '../../testing/index.ts'
import { dpmSolverMultistep } from './dpm-solver-multistep.ts'
import { dpmCoefficients } from '../../multistep/index.ts'

test('DPM-Solver is of the order that it is told, and of second order where that is the third', () => {
  const options = {
    predictionType: 'sample',
    useExponentialSigmas: true,
    finalSigmasType: 'sigma_min',
    betaSchedule: 'scaled_linear',
    lowerOrderFinal: false,
  } as const
  const order = (solverOrder: number, steps: number): number =>
    convergenceOrder(dpmSolverMultistep({ ...options, solverOrder }), steps)
  expect(order(1, 50)).toBeCloseTo(1, 1)
  expect(order(2, 50)).toBeCloseTo(2, 1)
  // Half of the second difference that a Taylor series has, in the reference as in the authors' code: second order, with
  // an error that is smaller at few steps.
  expect(order(3, 12)).toBeGreaterThan(2.7)
  expect(order(3, 100)).toBeCloseTo(2, 1)
})

test('third order as an SDE has the weights of the reference', () => {
  // Level distances h = 0.5 and r₀ = r₁ = 1, whose weights follow from the reference's formulas by hand.
  const levels = [0, -0.5, -1, -1.5].map((lambda) => {
    const sigma = Math.exp(-lambda)
    return { signal: 1 / Math.hypot(sigma, 1), noise: sigma / Math.hypot(sigma, 1) }
  })
  const { outputs, sample, noise } = dpmCoefficients('sde-dpmsolver++', 'midpoint', levels)
  const [one, alpha] = [1 - Math.exp(-1), Math.SQRT1_2]
  const [first, second] = [alpha * (1 - one), alpha * (one - 1 - 0.5)]
  expect(outputs[0]).toBeCloseTo(alpha * one + 1.5 * first + 0.5 * second, 12)
  expect(outputs[1]).toBeCloseTo(-2 * first - second, 12)
  expect(outputs[2]).toBeCloseTo(0.5 * first + 0.5 * second, 12)
  expect(sample / Math.exp(-0.5)).toBeCloseTo(levels[0]!.noise / levels[1]!.noise, 12)
  expect(noise).toBeCloseTo(alpha * Math.sqrt(one), 12)
})

test('a flow takes its own shift a run', () => {
  const flow = { predictionType: 'flow_prediction', useFlowSigmas: true } as const
  const dynamic = dpmSolverMultistep({ ...flow, useDynamicShifting: true })
  expect(dynamic.timesteps({ count: 4, mu: Math.log(3) })).toEqual(
    dpmSolverMultistep({ ...flow, flowShift: 3 }).timesteps(4),
  )
  expect(() => dynamic.timesteps(4)).toThrow(/expected mu/)
  expect(() => dpmSolverMultistep({ useDynamicShifting: true })).toThrow(/expected useFlowSigmas/)
})
