import { expect, test } from 'vitest'
import { solveLinear } from '../../numeric/index.ts'
import { convergenceOrder } from '../../testing/index.ts'
import { uniPc } from './unipc.ts'
import { uniPcCoefficients } from './update.ts'

const levels = { useExponentialSigmas: true, finalSigmasType: 'sigma_min', betaSchedule: 'scaled_linear' } as const

test('UniPC gains an order by its corrector', () => {
  const order = (options: object, steps: number): number =>
    convergenceOrder(uniPc({ ...levels, predictionType: 'sample', lowerOrderFinal: false, ...options }), steps)
  const uncorrected = Array.from({ length: 400 }, (_, i) => i)
  expect(order({ solverOrder: 1, disableCorrector: uncorrected }, 50)).toBeCloseTo(1, 1)
  expect(order({ solverOrder: 2, disableCorrector: uncorrected }, 50)).toBeCloseTo(2, 1)
  expect(order({ solverOrder: 1 }, 50)).toBeGreaterThan(1.7)
  expect(order({ solverOrder: 2 }, 50)).toBeGreaterThan(2.5)
})

test('both forms of B(h) and both integrals agree on a step of first order', () => {
  const ends = [0.5, 2].map((sigma) => ({ signal: 1 / Math.hypot(sigma, 1), noise: sigma / Math.hypot(sigma, 1) }))
  const [bh1, bh2] = (['bh1', 'bh2'] as const).map((solverType) =>
    uniPcCoefficients({ predictX0: true, solverType }, ends, false),
  )
  expect(bh1).toEqual(bh2)
})

test('flow levels on a Karras curve are those of the reference', () => {
  const scheduler = uniPc({
    predictionType: 'flow_prediction',
    useFlowSigmas: true,
    useKarrasSigmas: true,
    sigmaMin: 0.01,
    sigmaMax: 200,
  })
  const plan = scheduler.timesteps(5)
  const expected = [0.995025, 0.978745, 0.877488, 0.360497, 0.009901, 0]
  expect(plan.timesteps).toEqual([995, 978, 877, 360, 9])
  plan.sigmas!.forEach((sigma, i) => {
    expect(sigma).toBeCloseTo(expected[i]!, 6)
  })
})

test('a flow takes levels of the caller and its own shift a run', () => {
  const options = { predictionType: 'flow_prediction', useFlowSigmas: true } as const
  const sigmas = [0.9, 0.5, 0.1]
  expect(uniPc({ ...options, flowShift: 3 }).timesteps({ sigmas }).sigmas![1]).toBeCloseTo(0.75, 6)
  const dynamic = uniPc({ ...options, useDynamicShifting: true })
  expect(dynamic.timesteps({ sigmas, mu: Math.log(3) }).sigmas![1]).toBeCloseTo(0.75, 6)
  expect(() => dynamic.timesteps(3)).toThrow(/mu with useDynamicShifting, got undefined/)
  expect(() => uniPc().timesteps({ sigmas })).toThrow(/got 'sigmas'/)
})

test('options that need flow levels say so', () => {
  for (const options of [{ predictionType: 'flow_prediction' }, { shiftTerminal: 0.1 }, { useDynamicShifting: true }]) {
    expect(() => uniPc(options as object)).toThrow(/expected useFlowSigmas/)
  }
  const flow = { predictionType: 'flow_prediction', useFlowSigmas: true, predictX0: false } as const
  expect(() => uniPc(flow)).toThrow(/expected predictX0/)
})

test('elimination solves systems whose first pivot is zero', () => {
  const solution = solveLinear(
    [
      [0, 2, 1],
      [1, 1, 1],
      [3, 0, -1],
    ],
    [7, 6, 0],
  )
  solution.forEach((x, i) => {
    expect(x).toBeCloseTo([1, 2, 3][i]!, 12)
  })
})
