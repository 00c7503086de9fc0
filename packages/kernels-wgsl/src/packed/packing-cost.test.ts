import { expect, test } from 'vitest'
import type { Target } from '../op.ts'
import { tuningTable } from '../tuning.ts'
import { packingPays, packingTerms, type Work } from './packing-cost.ts'

const target: Target = { kind: 'software', f16: true, subgroupSize: 8, textureRows: 16_384, matrices: false, workgroupBytes: 32_768, tuning: tuningTable.lavapipe }
const square = (n: number): Work => ({ rows: n, cols: n, depth: n, batch: 1, packed: 2 * n * n })

test('large products are packed and small ones are not', () => {
  expect([8, 64, 256, 1024].map((n) => packingPays(square(n), target))).toEqual([false, false, true, true])
})

test('the row in use decides, and features may forbid', () => {
  const packing = { buffer: 1, texture: 0, element: 0, dispatches: 0 }
  expect(packingPays(square(1), { ...target, tuning: { ...tuningTable.lavapipe, packing } })).toBe(true)
  expect(packingPays(square(1024), { ...target, tuning: { ...tuningTable.lavapipe, packing: null } })).toBe(false)
  expect(packingPays(square(1024), { ...target, textureRows: 0 })).toBe(false)
  expect(packingPays(square(1024), { ...target, subgroupSize: 0 })).toBe(false)
})

test('terms count incomplete blocks as whole ones, and few rows as a dozen', () => {
  expect(packingTerms({ rows: 14, cols: 15, depth: 3, batch: 2, packed: 7 }, target)).toEqual({ macs: 2 * 3 * 14 * 15, padded: 2 * 3 * 16 * 16, packed: 7 })
  expect(packingTerms({ rows: 1, cols: 15, depth: 3, batch: 2, packed: 7 }, target)).toEqual({ macs: 2 * 3 * 12 * 15, padded: 2 * 3 * 8 * 16, packed: 7 })
})
