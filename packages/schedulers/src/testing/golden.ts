import { expect, test } from 'vitest'
import { dynamicThreshold, type ThresholdConfig } from '../prediction/index.ts'
import { fromConfig } from '../registry/index.ts'
import type { Scheduler, Steps } from '../run/index.ts'
import { runTestBed, type Fault, type Loop } from './test-bed.ts'

/** A run of diffusers on its test-bed. */
export interface GoldenCase {
  /** Entries of the diffusers file besides its class. */
  readonly config: Readonly<Record<string, unknown>>
  readonly steps: number | null
  /** What diffusers' set_timesteps got besides the number of steps. */
  readonly setTimesteps: { readonly timesteps?: number[]; readonly sigmas?: number[]; readonly mu?: number }
  /** What diffusers' step got; ours are options of the solver. */
  readonly step: Readonly<Record<string, unknown>>
  readonly loop: string
  /** Step whose level the sample is noised to, and that the loop starts at. */
  readonly tStart: number | null
  readonly noiseDraws: number
  /** Calls of the model a step. */
  readonly order: number
  readonly initNoiseSigma: number
  /** Constants of diffusers' own tests, with their tolerances. */
  readonly asserted: {
    readonly sum: number | null
    readonly mean: number
    readonly sumTol: number | null
    readonly meanTol: number
  } | null
  /** What it gave; null where that is NaN. */
  readonly observed: {
    readonly sum: number | null
    readonly mean: number | null
    readonly first8: readonly (number | null)[]
  }
  readonly timesteps: readonly number[] | null
  readonly sigmas: readonly number[] | null
  /** Set where the reference is at fault: what a run here must do to end where that does. */
  readonly fault?: Fault
  /** Set where the result is what rounding leaves of far larger numbers, and why: only the asserted constants then hold. */
  readonly cancels?: string
}

/** The cases of one diffusers class. */
export interface Golden {
  readonly provenance: string
  readonly className: string
  readonly cases: readonly GoldenCase[]
}

// The reference rounds every operation to float32, over up to 1000 steps; ours rounds each output once. The largest gap
// measured over all cases is 2.4e-6 (1.9e-6 in single values, relative to the largest of them), most are below 1e-7.
const relative = 5e-6

/** Two tests a case: the run equals the reference's, and so does the plan. */
export function goldenTests(solver: string, { className, cases }: Golden): void {
  for (const one of cases) {
    const title = titleOf(one)
    test(`${solver} equals diffusers: ${title}`, () => {
      checkRun(fromConfig({ _class_name: className, ...one.config, ...one.step }), one)
    })
    test(`${solver} plans as diffusers does: ${title}`, () => {
      const scheduler = fromConfig({ _class_name: className, ...one.config, ...one.step })
      const plan = scheduler.timesteps(stepsOf(one))
      expect(Math.abs(scheduler.initNoiseSigma(plan) / one.initNoiseSigma - 1)).toBeLessThan(1e-6)
      if (one.timesteps !== null) expectClose(plan.timesteps, one.timesteps)
      if (one.sigmas !== null) expectClose(plan.sigmas!, one.sigmas)
    })
  }
}

function titleOf({ config, steps, setTimesteps, step, loop, tStart }: GoldenCase): string {
  const entries = Object.entries({ ...config, ...setTimesteps, ...step })
  const words = entries.map(([key, value]) => `${key}=${JSON.stringify(value)}`.slice(0, 40))
  return `${steps} steps, ${loop}, from ${tStart ?? 0}: ${words.join(' ')}`
}

/** Timesteps and sigmas of diffusers' set_timesteps replace the number of steps. */
function stepsOf({ steps, setTimesteps }: GoldenCase): Steps {
  const listed = setTimesteps.timesteps !== undefined || setTimesteps.sigmas !== undefined
  return listed || steps === null ? setTimesteps : { count: steps, ...setTimesteps }
}

function checkRun(scheduler: Scheduler, one: GoldenCase): void {
  const { thresholding = false, dynamicThresholdingRatio = 0.995, sampleMaxValue = 1 } =
    scheduler.config as Partial<ThresholdConfig>
  const threshold = dynamicThreshold({ dynamicThresholdingRatio, sampleMaxValue }, 4)
  const { sample, draws } = runTestBed(scheduler, stepsOf(one), {
    // The file is checked by what follows: an unknown loop would draw and end elsewhere.
    loop: one.loop as Loop,
    startAt: one.tStart,
    ...(one.fault === undefined ? {} : { fault: one.fault }),
    hooks: thresholding ? { x0: threshold } : {},
  })
  expect(draws).toBe(one.noiseDraws)
  expect(sample.every(Number.isFinite)).toBe(true)

  const sum = sample.reduce((total, x) => total + Math.abs(x), 0)
  const { observed, asserted } = one
  if (observed.sum !== null && one.cancels === undefined) {
    const scale = Math.max(...observed.first8.map((x) => Math.abs(x!)), observed.mean!)
    expect(Math.abs(sum / observed.sum - 1), `sum ${sum}, expected ${observed.sum}`).toBeLessThan(relative)
    observed.first8.forEach((expected, i) => {
      expect(Math.abs(sample[i]! - expected!) / scale, `value ${i}`).toBeLessThan(relative)
    })
  }
  if (asserted !== null) {
    if (asserted.sum !== null) expect(Math.abs(sum - asserted.sum)).toBeLessThan(asserted.sumTol!)
    expect(Math.abs(sum / sample.length - asserted.mean)).toBeLessThan(asserted.meanTol)
  }
}

/** Whole numbers must agree; others may differ in the last bits of float32. */
function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length)
  expected.forEach((value, i) => {
    expect(Math.abs(actual[i]! - value), `entry ${i}: ${actual[i]}, expected ${value}`).toBeLessThanOrEqual(
      1e-6 * Math.abs(value) + 1e-6,
    )
  })
}
