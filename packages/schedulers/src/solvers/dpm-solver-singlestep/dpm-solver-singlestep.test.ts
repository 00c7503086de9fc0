import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { convergenceOrder, testModel } from '../../testing/index.ts'
import { dpmSolverMultistep } from '../dpm-solver-multistep/index.ts'
import { dpmSolverSinglestep, type DpmSinglestepConfig } from './dpm-solver-singlestep.ts'

test('DPM-Solver is of the order that it is told, of ε and of x₀ and in both forms', () => {
  for (const algorithmType of ['dpmsolver', 'dpmsolver++'] as const) {
    for (const solverType of ['midpoint', 'heun'] as const) {
      for (const solverOrder of [1, 2, 3]) {
        const scheduler = dpmSolverSinglestep({
          predictionType: 'sample',
          useExponentialSigmas: true,
          finalSigmasType: 'sigma_min',
          betaSchedule: 'scaled_linear',
          solverOrder,
          algorithmType,
          solverType,
        })
        // Both runs end inside a step, at the same place of it.
        expect(convergenceOrder(scheduler, 192)).toBeCloseTo(solverOrder, 1)
      }
    }
  }
})

test('the calls that make no whole step are steps of lower order', () => {
  const orders = (options: Partial<DpmSinglestepConfig>, steps: number): string =>
    dpmSolverSinglestep(options).timesteps(steps).extra!['order']!.join('')
  expect(orders({}, 6)).toBe('121211')
  expect(orders({}, 7)).toBe('1212121')
  expect(orders({ solverOrder: 3 }, 6)).toBe('123121')
  expect(orders({ solverOrder: 3 }, 7)).toBe('1231231')
  expect(orders({ solverOrder: 3 }, 8)).toBe('12312311')
  const toSigmaMin = { finalSigmasType: 'sigma_min', solverOrder: 3 } as const
  expect(orders(toSigmaMin, 6)).toBe('123123')
  expect(orders(toSigmaMin, 8)).toBe('12312312')
  expect(orders({ ...toSigmaMin, lowerOrderFinal: true }, 6)).toBe('123121')
})

test('only the inside of a step holds tensors, and a run may begin there', () => {
  const scheduler = dpmSolverSinglestep({ solverOrder: 3, finalSigmasType: 'sigma_min' })
  const held: number[] = []
  let state = scheduler.begin<Float32Array>(6, 1)
  let x: Float32Array = Float32Array.of(0.5, -1)
  const first = x
  while (state.step < 6) {
    ;({ state, sample: x } = scheduler.step(float32Linear, state, testModel(x, 500), x))
    held.push(state.history.length)
    if (state.step === 2) expect(state.slots['start']).toBe(first)
  }
  expect(held).toEqual([1, 0, 1, 2, 0])
})

test('a step of first order is the multistep form’s', () => {
  const x = Float32Array.of(0.5, -1)
  for (const algorithmType of ['dpmsolver++', 'sde-dpmsolver++'] as const) {
    const [one, other] = [dpmSolverSinglestep, dpmSolverMultistep].map((make) => {
      const scheduler = make({ solverOrder: 1, algorithmType })
      return scheduler.step(float32Linear, scheduler.begin<Float32Array>(9, 4), x, x, x).sample
    })
    expect(one).toEqual(other)
  }
})

test('the calls of an SDE’s step add no noise on noise: its last update alone counts', () => {
  const scheduler = dpmSolverSinglestep({ algorithmType: 'sde-dpmsolver++', predictionType: 'sample' })
  const zero = Float32Array.of(0)
  const first = scheduler.step(float32Linear, scheduler.begin<Float32Array>(8), zero, zero, Float32Array.of(9))
  const { sample } = scheduler.step(float32Linear, first.state, zero, first.sample, Float32Array.of(1))
  const [start, end] = [scheduler.level(scheduler.begin(8)), scheduler.level(scheduler.begin(8, 2))]
  const decay = (end.noise / start.noise) * (start.signal / end.signal)
  expect(sample[0]).toBeCloseTo(end.noise * Math.sqrt(1 - decay ** 2), 6)
})

test('options that do not go together are refused by name', () => {
  const refuses = (options: object, reason: RegExp): void => {
    expect(() => dpmSolverSinglestep(options)).toThrow(reason)
  }
  refuses({ solverOrder: 4 }, /solverOrder from 1 to 3/)
  refuses({ algorithmType: 'dpmsolver' }, /finalSigmasType 'sigma_min'/)
  refuses({ algorithmType: 'sde-dpmsolver' }, /algorithmType/)
  refuses({ predictionType: 'flow_prediction' }, /useFlowSigmas/)
  expect(() => dpmSolverSinglestep({ lambdaMinClipped: 100 }).timesteps(5)).toThrow(/lambdaMinClipped/)
})
