import { expect, test } from 'vitest'
import { ddim, ddpm, dpmSolverMultistep, euler, SchedulerError, type Scheduler } from '../index.ts'

const all: readonly (() => Scheduler)[] = [ddpm, ddim, euler, dpmSolverMultistep]

test('DDIM with the offset of Stable Diffusion starts its five steps where the reference does', () => {
  expect(ddim({ stepsOffset: 1 }).timesteps(5).timesteps).toEqual([801, 601, 401, 201, 1])
})

test('rounding to even decides timesteps that lie halfway', () => {
  // 999/6 = 166.5: halves up would give 167, 500 and 833 for 166.5, 499.5 and 832.5.
  expect(ddim({ timestepSpacing: 'linspace' }).timesteps(7).timesteps).toEqual([999, 832, 666, 500, 333, 166, 0])
  // 1000 − 62.5·i
  expect(ddim({ timestepSpacing: 'trailing' }).timesteps(16).timesteps.slice(0, 4)).toEqual([999, 937, 874, 811])
})

test('trailing spacing has as many steps as asked where T/N is not exact', () => {
  for (const steps of [61, 103, 201]) {
    for (const make of all) {
      const plan = remade(make, 'trailing').timesteps(steps)
      expect(plan.timesteps).toHaveLength(steps)
      expect(plan.timesteps.at(-1)).toBeGreaterThanOrEqual(0)
    }
  }
})

test('a DDIM step ends a stride below its timestep, or at the next of the timesteps that the caller chose', () => {
  expect(ddim().timesteps(7).previous).toEqual([710, 568, 426, 284, 142, 0, -1])
  expect(ddim({ stepsOffset: 1 }).timesteps(3).previous).toEqual([334, 1, -1])
  expect(ddim().timesteps({ timesteps: [900, 300, 20] }).previous).toEqual([300, 20, -1])
})

test("timesteps of the caller's own that equal the spaced ones give the same plan", () => {
  for (const make of all) {
    const scheduler = make()
    const plan = scheduler.timesteps(10)
    expect(scheduler.timesteps({ timesteps: plan.timesteps })).toEqual(plan)
  }
})

test('timesteps that rise, repeat, lie outside or are missing are refused', () => {
  for (const make of all) {
    for (const timesteps of [[1, 2], [5, 5], [1000], [3, -1], [], [Number.NaN]]) {
      expect(() => make().timesteps({ timesteps })).toThrow(SchedulerError)
    }
  }
  expect(() => ddim().timesteps({ timesteps: [10, 2.5] })).toThrow(/whole timesteps from 999 to 0, got 2.5 at index 1/)
})

test('a number of steps that is no count or exceeds T is refused', () => {
  for (const make of all) {
    for (const steps of [0, -1, 1.5, 1001, Number.NaN, Infinity]) {
      expect(() => make().timesteps(steps)).toThrow(/expected 1 to 1000 steps/)
    }
  }
})

test('an offset that leads out of the table is refused', () => {
  expect(() => ddim({ stepsOffset: 1 }).timesteps(1000)).toThrow(/got 1000 at index 0/)
  expect(() => euler({ timestepSpacing: 'leading', stepsOffset: 1 }).timesteps(1000)).toThrow(/check steps_offset/)
})

test('leading spacing of DPM-Solver needs room for one timestep more', () => {
  const scheduler = dpmSolverMultistep({ timestepSpacing: 'leading' })
  expect(scheduler.timesteps(999).timesteps).toHaveLength(999)
  expect(() => scheduler.timesteps(1000)).toThrow(/fewer than 1000 steps/)
})

test('configurations that make their own timesteps take no others', () => {
  const timesteps = [900, 100]
  expect(() => euler({ useKarrasSigmas: true }).timesteps({ timesteps })).toThrow(/expected steps by count, sigmas, strength, got 'timesteps'/)
  expect(() => dpmSolverMultistep({ useLuLambdas: true }).timesteps({ timesteps })).toThrow(/expected steps by count, strength, got 'timesteps'/)
})

test('clipping λ leaves out the noisiest timesteps of the cosine schedule', () => {
  const options = { betaSchedule: 'squaredcos_cap_v2' } as const
  const first = (lambdaMinClipped: number): number =>
    dpmSolverMultistep({ ...options, lambdaMinClipped }).timesteps(20).timesteps[0]!
  expect(first(-Infinity)).toBe(999)
  expect(first(-5.1)).toBeLessThan(999)
  expect(first(-5.1)).toBeGreaterThan(980)
  expect(() => first(100)).toThrow(/lower it/)
})

test('the standard deviation of the start depends on the spacing for Euler alone', () => {
  const leading = euler({ timestepSpacing: 'leading' })
  const plan = leading.timesteps(20)
  expect(leading.initNoiseSigma(plan)).toBeCloseTo(Math.hypot(plan.sigmas![0]!, 1), 12)
  expect(euler().initNoiseSigma(euler().timesteps(20))).toBe(euler().timesteps(20).sigmas![0])
  expect(ddim().initNoiseSigma(ddim().timesteps(20))).toBe(1)
})

function remade(make: () => Scheduler, timestepSpacing: 'trailing'): Scheduler {
  return (make as (options: object) => Scheduler)({ timestepSpacing })
}
