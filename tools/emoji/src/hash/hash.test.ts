import { expect, test } from 'vitest'
import { hashOf } from './index.ts'

test('a hash is the first 52 bits of SHA-256', () => {
  // FIPS 180-2, appendix B.1: SHA-256 of "abc" begins with ba7816bf 8f01cfea.
  expect(hashOf('abc')).toBe(0xba7816bf8f01c)
  expect(Number.isSafeInteger(hashOf(''))).toBe(true)
})
