import { expect, test } from 'vitest'
import { ConfigError } from '@antipode/core'
import { adapterAlphas, adapterParameters } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { loadAdapter } from '@antipode/models'
import { flopsPerImage, parameterCount } from '@antipode/models'
import { digitsBase } from './digits-base.ts'
import { digitsConfig, digitsUNet } from './digits-unet.ts'

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

test('the offsets that come with the package act at full strength: alpha and rank are 8 in every layer', async () => {
  const unet = digitsUNet(new FakeHost(), 'digits-16', { seed: 0 })
  const { eta, delta } = digitsBase['digits-16'] ?? {}
  for (const [name, url] of Object.entries({ eta, delta })) {
    await loadAdapter(unet, url as URL, { name })
    expect(new Set(adapterAlphas(unet, name).values())).toEqual(new Set([8]))
    expect([...adapterParameters(unet, name)].filter(([key, t]) => key.endsWith('lora_A.weight') && t.shape[0] !== 8)).toEqual([])
    expect(adapterAlphas(unet, name).size).toBe(20)
  }
  expect(() => digitsUNet(new FakeHost(), 'digits-16', { sed: 0 } as never)).toThrow('digitsUNet: expected options among seed, dtype, got sed')
})
