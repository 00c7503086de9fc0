import { expect, test } from 'vitest'
import { ceilingsOf } from './ceilings.ts'

const rate = { bytes: 2 ** 24, milliseconds: 2, gigabytesPerSecond: 8 }
const measured = {
  matmul: [
    { dtype: 'f32', size: 512, milliseconds: 10, gflops: 27, error: 0, correct: true },
    { dtype: 'f16', size: 512, milliseconds: 5, gflops: 54, error: 0, correct: true },
  ],
  copy: rate, elementwise: { ...rate, gigabytesPerSecond: 2 }, readback: rate, seconds: 3,
} as const
const dispatch = (flops: number, bytes: number, begin: number, end: number, label = 'matmul/f32/panels16') => ({ label, run: 0, begin, end, flops, bytes })

test('the clock sets the ceilings where no dispatch is faster; f16 sets none, and bytes count read and written', () => {
  expect(ceilingsOf(measured, [dispatch(0, 0, 0, 1)])).toEqual({
    flops: { perSecond: 27e9, by: 'matmul f32 of 512×512×512, whole' },
    bytes: { perSecond: 4e9, by: 'elementwise kernel' },
    copy: { perSecond: 16e9, by: 'copy command' },
    dispatchMilliseconds: 1,
  })
})

test('a faster dispatch lifts them, and one that took no time does not', () => {
  const found = ceilingsOf(measured, [dispatch(2e8, 4e9, 1, 3), dispatch(9, 9, 5, 5), dispatch(0, 1e7, 6, 7, 'fused/vec4/mul'), dispatch(0, 4, 8, 8.25, 'fused/scalar/mul')])
  expect(found.flops).toEqual({ perSecond: 1e11, by: 'matmul/f32/panels16' })
  // A product's operands may lie in caches: only elementwise kernels tell of memory.
  expect(found.bytes).toEqual({ perSecond: 1e10, by: 'fused/vec4/mul' })
  expect(found.dispatchMilliseconds).toBe(0.25)
})
