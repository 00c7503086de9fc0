import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConfigError, euler, lms, SchedulerError, uniPc, type SamplingPlan, type Scheduler } from '../index.ts'
import { allSolvers } from '../registry/all-solvers.ts'

/** Values that an option is drawn from, for the solvers that have it. */
const values: Readonly<Record<string, readonly unknown[]>> = {
  numTrainTimesteps: [1, 2, 7, 40, 100],
  betaStart: [1e-6, 1e-4, 0.01, 0.3],
  betaEnd: [1e-5, 0.02, 0.3, 0.999],
  betaSchedule: ['linear', 'scaled_linear', 'squaredcos_cap_v2'],
  trainedBetas: [null, null, [0.1, 0.2, 0.3], [0.5, 0.01, 0.01, 0.9, 1e-8, 1e-8]],
  rescaleBetasZeroSnr: [true, false],
  predictionType: ['epsilon', 'v_prediction', 'sample', 'flow_prediction'],
  timestepSpacing: ['linspace', 'leading', 'trailing'],
  stepsOffset: [0, 1, 3],
  useKarrasSigmas: [true, false, false],
  useExponentialSigmas: [true, false, false],
  useBetaSigmas: [true, false, false],
  useLuLambdas: [true, false, false],
  useFlowSigmas: [true, false, false],
  flowShift: [0.1, 3, 100],
  shift: [0.1, 3, 100],
  shiftTerminal: [null, 0.02, 0.5],
  invertSigmas: [true, false],
  finalSigmasType: ['zero', 'sigma_min'],
  algorithmType: ['dpmsolver', 'dpmsolver++', 'data_prediction', 'noise_prediction'],
  interpolationType: ['linear', 'log_linear'],
  timestepType: ['discrete', 'continuous'],
  sigmaMin: [null, 0.002, 0.5],
  sigmaMax: [null, 1, 80],
  sigmaSchedule: ['karras', 'exponential'],
  rho: [1, 7],
  lambdaMinClipped: [-5.1, -1],
  originalInferenceSteps: [2, 10, 40],
}
const drawn = fc.record(
  Object.fromEntries(Object.entries(values).map(([option, some]) => [option, fc.constantFrom(...some)])),
  { requiredKeys: [] },
)

/** The numbers by which the noise of a plan is ordered: its levels, or the timesteps of a table. */
function order({ timesteps, sigmas }: SamplingPlan): readonly number[] {
  return sigmas ?? timesteps
}

function attempt<R>(work: () => R): R | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof SchedulerError) return undefined
    throw error
  }
}

test('the noise of every plan falls, or rises to an inversion\'s end, or the plan is refused by name', () => {
  const planned = new Map<string, number>()
  fc.assert(
    fc.property(drawn, fc.integer({ min: 1, max: 40 }), (options, count) => {
      for (const solver of allSolvers()) {
        const fields = solver.fields()
        const own = Object.fromEntries(Object.entries(options).filter(([option, value]) => fields[option]?.accepts(value)))
        const plan = attempt(() => solver(own).timesteps(count))
        if (plan === undefined) continue
        planned.set(solver.solverName, (planned.get(solver.solverName) ?? 0) + 1)
        const along = order(plan)
        expect(along.every(Number.isFinite)).toBe(true)
        const sign = along[0]! > along.at(-1)! ? 1 : -1
        const { timesteps } = plan
        along.slice(1).forEach((one, i) => {
          const fall = sign * (along[i]! - one)
          // Two calls of one step, two steps at one timestep, and an end at the last level, have no length.
          const alike = timesteps[i] === timesteps[i + 1] || i + 1 === timesteps.length || plan.starts !== undefined
          expect(alike ? fall >= 0 : fall > 0, `${solver.solverName} ${JSON.stringify(own)}, ${count}: ${String(along[i])} before ${one}`).toBe(true)
        })
      }
    }),
    { numRuns: 60, seed: 16 },
  )
  // None is refused throughout.
  for (const { solverName } of allSolvers()) expect(planned.get(solverName) ?? 0, solverName).toBeGreaterThan(3)
})

test('a terminal SNR of 0 leaves levels that fall, or refuses those that would rise to the timestep before', () => {
  // σ of the last timestep is set to 4096, where linear betas bring the one before to 15708.
  for (const solver of allSolvers().filter((one) => 'rescaleBetasZeroSnr' in one.fields())) {
    const scheduler: Scheduler = solver({ rescaleBetasZeroSnr: true, betaSchedule: 'linear' })
    for (const count of [5, 50]) {
      const along = attempt(() => order(scheduler.timesteps(count))) ?? []
      expect(along.every((one, i) => i === 0 || one <= along[i - 1]!) || /Inverse/.test(scheduler.name), `${scheduler.name}, ${count} steps`).toBe(true)
    }
  }
  for (const solver of [euler, lms]) {
    const scheduler = solver({ rescaleBetasZeroSnr: true })
    expect(scheduler.timesteps(50).sigmas![0]).toBeCloseTo(4096, 3)
    expect(() => scheduler.timesteps(1000)).toThrow(/expected noise levels that fall, got 40\d\d[\d.]* before \d{5}[\d.]* at call 1; take fewer steps/)
    expect(() => scheduler.timesteps({ timesteps: [999, 998, 10] })).toThrow(SchedulerError)
  }
})

test('the ends of a curve that are swapped are refused', () => {
  for (const solver of [euler, uniPc]) {
    const scheduler = solver({ useKarrasSigmas: true, sigmaMin: 3, sigmaMax: 2 })
    expect(() => scheduler.timesteps(5)).toThrow(SchedulerError)
    expect(() => solver({ useKarrasSigmas: true, sigmaMin: -3 })).toThrow(ConfigError)
  }
})
