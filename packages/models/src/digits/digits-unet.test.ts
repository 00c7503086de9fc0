import { expect, test } from 'vitest'
import { ConfigError } from '@antipode/core'
import { flopsPerImage, parameterCount } from '../unet/index.ts'
import { digitsConfig } from './digits-unet.ts'

test('digits-16 fits two CPU cores: under 8 MFLOP an image', () => {
  const config = digitsConfig('digits-16')
  expect(parameterCount(config)).toBe(165_556)
  expect(flopsPerImage(config)).toBeGreaterThan(3e6)
  expect(flopsPerImage(config)).toBeLessThan(8e6)
})

test('digits-28 has about two million parameters', () => {
  const config = digitsConfig('digits-28')
  expect(parameterCount(config)).toBeGreaterThan(1.5e6)
  expect(parameterCount(config)).toBeLessThan(2.5e6)
  expect(flopsPerImage(config)).toBeLessThan(6e8)
})

test('other names are refused', () => {
  expect(() => digitsConfig('digits-32' as never)).toThrow(ConfigError)
})
