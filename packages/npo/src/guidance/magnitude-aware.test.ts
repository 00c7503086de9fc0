import { ConfigError } from '@antipode/core'
import { expect, test } from 'vitest'
import { classifierFree, magnitudeAware } from './index.ts'
import { cases, closeTo, kinds, once } from './testing/oracle.ts'
import { testGuider } from './testing/test-guider.ts'

testGuider('magnitude-aware guidance', (scale) => magnitudeAware({ scale }))

test.each(kinds)('magnitude-aware guidance is that of diffusers, and classifier-free at α = 0: %s', (kind) => {
  const { params, out } = cases[`magnitude_aware_${kind}`]
  closeTo(out.pred, once(magnitudeAware(params), kind))
  closeTo([...once(classifierFree({ scale: 5 }), kind)], once(magnitudeAware({ scale: 5, alpha: 0 }), kind))
  expect(() => magnitudeAware({ scale: 5, alpha: -1 })).toThrow(ConfigError)
})
