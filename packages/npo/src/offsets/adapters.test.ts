import { ConfigError } from '@antipode/core'
import { expect, test } from 'vitest'
import { offsets } from './index.ts'

test('offsets of weight zero are left out, so that no branch pays for them', () => {
  expect(offsets({ dpo: 1, npo: 0.5 })).toEqual({ dpo: 1, npo: 0.5 })
  expect(offsets({ dpo: 0, npo: -0 })).toEqual({})
})

test('weights that are no number are refused by name', () => {
  for (const bad of [Number.NaN, Infinity, 1e39, '1' as never]) {
    expect(() => offsets({ npo: bad })).toThrow(ConfigError)
    expect(() => offsets({ npo: bad })).toThrow(/"npo"/)
  }
})
