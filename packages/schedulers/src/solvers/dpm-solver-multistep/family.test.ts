import { expect, test } from 'vitest'
import type { Linear } from '../../linear/index.ts'
import { fromConfig } from '../../registry/index.ts'
import { currentTimestep, isDone } from '../../run/index.ts'
import reference from './family.float64.json' with { type: 'json' }

// The reference in float32 is off by up to 4e-4 where its coefficients are small differences, as in high orders of
// SA-Solver and DEIS. In float64 the same formulas must give what these solvers do, whichever way they write them.

const exact: Linear<readonly number[]> = {
  combine: (terms) => terms[0]![1].map((_, i) => terms.reduce((sum, [c, x]) => sum + c * x[i]!, 0)),
}

for (const { config, steps, start, result } of reference.cases) {
  const { _class_name: className, beta_start: _start, beta_end: _end, ...options } = config
  const title = Object.entries({ ...options, ...steps, start }).map(([key, value]) => `${key}=${String(value)}`)
  test(`${className} is the reference's method in float64: ${title.join(' ')}`, () => {
    const scheduler = fromConfig(config)
    let state = scheduler.begin<readonly number[]>(steps, start)
    let x: readonly number[] = result.map((_, i) => Math.cos(0.9 * i))
    for (let n = 0; !isDone(state); n++) {
      const timestep = currentTimestep(state)
      const noise = result.map((_, i) => 1.3 * Math.sin(1.7 * i + 2.3 * n + 0.5))
      const prediction = x.map((value) => (value * timestep) / (timestep + 1))
      ;({ state, sample: x } = scheduler.step(exact, state, prediction, x, noise))
    }
    const size = Math.max(...result.map(Math.abs))
    x.forEach((value, i) => {
      expect(Math.abs(value - result[i]!) / size).toBeLessThan(1e-9)
    })
  })
}
