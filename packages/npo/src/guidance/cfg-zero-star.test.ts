import { ConfigError } from '@antipode/core'
import { expect, test } from 'vitest'
import { cfgZeroStar } from './index.ts'
import { cases, closeTo, kinds, place, run } from './testing/oracle.ts'
import { testGuider } from './testing/test-guider.ts'

testGuider('CFG-Zero*', (scale) => cfgZeroStar({ scale }))

test.each(kinds)('CFG-Zero* is that of diffusers, and nothing in the steps that it leaves out: %s', (kind) => {
  for (const name of [`cfg_zero_star_z0_${kind}`, `cfg_zero_star_z1_${kind}`] as const) {
    const { params: { scale, zero_init_steps: zeroSteps }, out } = cases[name]
    closeTo(out.pred_steps, run(cfgZeroStar({ scale, zeroSteps }), kind).flatMap((x) => [...x]))
  }
})

test('CFG-Zero* of scale 1 leaves out the first steps all the same', () => {
  const guider = cfgZeroStar({ scale: 1, zeroSteps: 2 })
  expect([0, 1, 2].map((step) => guider.active({ ...place, step }))).toEqual([true, true, false])
  expect(() => cfgZeroStar({ scale: 2, zeroSteps: 0.5 })).toThrow(ConfigError)
  expect(() => cfgZeroStar({ scale: -1 })).toThrow(ConfigError)
})
