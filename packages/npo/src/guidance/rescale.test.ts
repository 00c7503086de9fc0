import { ConfigError } from '@antipode/core'
import { expect, test } from 'vitest'
import { classifierFree, rescale } from './index.ts'
import { cases, closeTo, kinds, once } from './testing/oracle.ts'
import { testGuider } from './testing/test-guider.ts'

testGuider('guidance that is rescaled outside', (scale) => rescale(classifierFree({ scale }), { phi: 0.7 }))

test.each(kinds)('rescaling outside a guider is its own rescaling: %s', (kind) => {
  const { params: { scale }, out } = cases[`cfg_rescale_${kind}`]
  for (const [phi, want] of Object.entries(out)) closeTo(want, once(rescale(classifierFree({ scale }), { phi: Number(phi) }), kind))
})

test('a share above 1 is refused', () => {
  expect(() => rescale(classifierFree({ scale: 2 }), { phi: 2 })).toThrow(ConfigError)
})
