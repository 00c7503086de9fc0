import { ConfigError } from '@antipode/core'
import { expect, test } from 'vitest'
import { classifierFree } from './index.ts'
import { cases, closeTo, kinds, once } from './testing/oracle.ts'
import { testGuider } from './testing/test-guider.ts'

testGuider('classifier-free guidance', (scale) => classifierFree({ scale }))
testGuider('rescaled classifier-free guidance', (scale) => classifierFree({ scale, rescale: 0.7 }))

test.each(kinds)('classifier-free guidance is that of diffusers, rescaled or not: %s', (kind) => {
  for (const [scale, want] of Object.entries(cases[`cfg_${kind}`].out)) {
    closeTo(want, once(classifierFree({ scale: Number(scale) }), kind))
  }
  // The form of the first paper, e_pos + s·(e_pos − e_neg), counts from 0.
  const original = cases[`cfg_original_${kind}`]
  closeTo(original.out.pred, once(classifierFree({ scale: original.params.scale + 1 }), kind))
  const { params: { scale }, out } = cases[`cfg_rescale_${kind}`]
  for (const [rescale, want] of Object.entries(out)) {
    closeTo(want, once(classifierFree({ scale, rescale: Number(rescale) }), kind))
  }
})

test('options out of range are refused', () => {
  for (const options of [{ scale: -1 }, { scale: null }, { scale: 2, w: 1 }, { scale: 2, rescale: 2 }]) {
    expect(() => classifierFree(options as never)).toThrow(ConfigError)
  }
})
