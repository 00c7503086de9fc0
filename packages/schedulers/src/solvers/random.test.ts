import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { float32Linear } from '../linear/index.ts'
import { differences, float64Linear, runCase, type SampleCase } from '../testing/reference.ts'

// A sample of random configurations, compared by the thousand with tools/golden/schedulers.ts.
const { cases } = JSON.parse(readFileSync(`${import.meta.dirname}/random.golden.json`, 'utf8')) as { cases: readonly SampleCase[] }

for (const name of new Set(cases.map((one) => one.class))) {
  test(`random configurations of ${name} equal diffusers, or are refused by name`, () => {
    for (const one of cases.filter((other) => other.class === name)) {
      const what = JSON.stringify({ ...one.config, ...one.step, ...one.request })
      if ('refused' in one) {
        expect(runCase(one, float32Linear), what).toContain(one.refused)
        continue
      }
      // Where rounding decides the result of diffusers in float32, its own code in float64 is the reference.
      const [ours, precision] = one.float64 ? ([runCase(one, float64Linear), 'float64'] as const) : ([runCase(one, float32Linear), 'float32'] as const)
      expect(typeof ours === 'string' ? ours : differences(ours, one, precision), what).toEqual([])
    }
  })
}

test('every class is among them, with runs, refusals and runs in float64', () => {
  expect(new Set(cases.map((one) => one.class)).size).toBe(23)
  expect(cases.filter((one) => 'refused' in one).length).toBeGreaterThan(5)
  expect(cases.filter((one) => 'float64' in one).length).toBeGreaterThan(5)
})
