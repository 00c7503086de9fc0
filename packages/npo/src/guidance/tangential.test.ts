import { ConfigError } from '@antipode/core'
import { expect, test } from 'vitest'
import { tangential } from './index.ts'
import { cases, closeTo, kinds, once } from './testing/oracle.ts'
import { testGuider } from './testing/test-guider.ts'

testGuider('tangential guidance', (scale) => tangential({ scale }))

test.each(kinds)('tangential guidance is that of diffusers, without a decomposition: %s', (kind) => {
  const { params, out } = cases[`tangential_${kind}`]
  closeTo(out.pred, once(tangential(params), kind))
  expect(() => tangential({ scale: Infinity })).toThrow(ConfigError)
})
