import { ConfigError } from '@antipode/core'
import { expect, test } from 'vitest'
import { classifierFree, interval } from './index.ts'
import { cases, place } from './testing/oracle.ts'
import { testGuider } from './testing/test-guider.ts'

testGuider('guidance within all of a run', (scale) => interval(classifierFree({ scale }), {}))

test('an interval acts on the calls that diffusers has it act on, or between two levels of noise', () => {
  const within = interval.bind(undefined, classifierFree({ scale: 2 }))
  const { by_step_fraction: shares, by_sigma: levels } = cases.guidance_interval.out
  for (const { start, stop, steps, active } of shares) {
    const guider = within({ start, stop })
    expect(active.map((_, step) => Number(guider.active({ ...place, step, steps })))).toEqual(active)
  }
  const guider = within({ sigmaMin: levels.lo, sigmaMax: levels.hi })
  expect(levels.sigmas.map((sigma) => Number(guider.active({ ...place, sigma })))).toEqual(levels.active)
  expect(within({}).active({ ...place, sigma: Infinity })).toBe(true)
  expect(interval(classifierFree({ scale: 1 }), {}).active(place)).toBe(false)
  for (const options of [{ start: 0.5, stop: 0.2 }, { sigmaMin: 2, sigmaMax: 1 }, { start: -1 }, { from: 0 }]) {
    expect(() => within(options as never)).toThrow(ConfigError)
  }
})
