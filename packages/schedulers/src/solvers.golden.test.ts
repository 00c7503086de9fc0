import { expect, test } from 'vitest'
import {
  ddim,
  dynamicThreshold,
  fromConfig,
  type DdimConfig,
  type Scheduler,
  type SolverConfig,
  type ThresholdConfig,
} from './index.ts'
import golden from './solvers.golden.json' with { type: 'json' }
import { runTestBed, type Loop } from './testing/test-bed.ts'

// The reference rounds every operation to float32, over up to 1000 steps; ours rounds each output once. The largest gap
// measured over all cases is 2.4e-6 (1.9e-6 in single values, relative to the largest of them), most are below 1e-7.
const relative = 5e-6

type Case = (typeof golden.cases)[number]

function schedulerOf({ scheduler, config, eta }: Case): Scheduler {
  const made = fromConfig({ _class_name: scheduler, ...config })
  // Only the DDIM cases have an eta, which is no part of a diffusers file.
  return eta > 0 ? ddim({ ...(made.config as DdimConfig), eta }) : made
}

function titleOf(one: Case): string {
  const config = Object.entries(one.config).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  const { scheduler, steps, loop, tStart, eta } = one
  return `${scheduler}, ${steps} steps, ${loop}, from ${tStart ?? 0}, eta ${eta}: ${config.join(' ')}`
}

test('the golden file holds every case of the four solvers', () => {
  expect(golden.cases).toHaveLength(48)
})

for (const one of golden.cases) {
  const scheduler = schedulerOf(one)
  const plan = scheduler.timesteps(one.steps)

  test(`equals diffusers: ${titleOf(one)}`, () => {
    const config = scheduler.config as SolverConfig & Partial<ThresholdConfig>
    const { thresholding, dynamicThresholdingRatio = 0.995, sampleMaxValue = 1 } = config
    const threshold = dynamicThreshold({ dynamicThresholdingRatio, sampleMaxValue }, 4)
    const hooks = thresholding === true ? { x0: threshold } : {}
    const loop: Loop = one.loop === 'all' ? 'plain' : (one.loop as Loop)
    const { sample, draws } = runTestBed(scheduler, one.steps, { loop, startAt: one.tStart, hooks })

    const sum = sample.reduce((total, x) => total + Math.abs(x), 0)
    const scale = Math.max(...one.observed.first8.map(Math.abs), one.observed.mean)
    expect(draws).toBe(one.noiseDraws)
    expect(Math.abs(sum / one.observed.sum - 1)).toBeLessThan(relative)
    one.observed.first8.forEach((expected, i) => {
      expect(Math.abs(sample[i]! - expected) / scale).toBeLessThan(relative)
    })
    if (one.asserted !== null) {
      const { sum: total, mean, sumTol, meanTol } = one.asserted
      if (total !== null && sumTol !== null) expect(Math.abs(sum - total)).toBeLessThan(sumTol)
      expect(Math.abs(sum / sample.length - mean)).toBeLessThan(meanTol)
    }
  })

  test(`plans as diffusers does: ${titleOf(one)}`, () => {
    expect(Math.abs(scheduler.initNoiseSigma(plan) / one.initNoiseSigma - 1)).toBeLessThan(1e-6)
    if (one.timesteps !== null) expectClose(plan.timesteps, one.timesteps)
    if (one.sigmas !== null) expectClose(plan.sigmas!, one.sigmas)
  })
}

/** Whole numbers must agree; others may differ in the last bits of float32. */
function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length)
  expected.forEach((value, i) => {
    expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(1e-6 * Math.abs(value) + 1e-6)
  })
}
