import { expect, test } from 'vitest'
import { adapterClass, tuningTable } from './tuning.ts'

test('adapters are told apart by what their drivers say', () => {
  expect(adapterClass('mesa  llvmpipe-llvm-15-0-6-256-bits- llvmpipe: Mesa 25.0.7')).toBe('lavapipe')
  expect(adapterClass('google swiftshader SwiftShader Device (Subzero)')).toBe('software')
  expect(adapterClass('microsoft CPU')).toBe('software')
  expect(adapterClass('nvidia hopper NVIDIA H100')).toBe('gpu')
  expect(adapterClass('')).toBe('gpu')
})

test('each row names its class and its source', () => {
  for (const [name, row] of Object.entries(tuningTable)) {
    expect(row.adapter).toBe(name)
    expect(row.measured).not.toBe('')
  }
})
