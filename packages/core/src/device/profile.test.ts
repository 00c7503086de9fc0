import { expect, test } from 'vitest'
import { byKernel, onHostClock } from './profile.ts'

const at = (label: string, begin: number, end: number) => ({ label, begin, end, flops: 6, bytes: 10 })

test('no dispatch begins before its submission, and the promptest at once', () => {
  const moved = onHostClock([
    { submitted: 100, dispatches: [at('a', 5005, 5010), at('b', 5010, 5020)] },
    { submitted: 130, dispatches: [] },
    { submitted: 200, dispatches: [at('a', 5102, 5103)] },
  ])
  expect(moved.map(({ label, run, begin, end }) => [label, run, begin, end])).toEqual([['a', 0, 103, 108], ['b', 0, 108, 118], ['a', 2, 200, 201]])
  expect(onHostClock([])).toEqual([])
})

test('kernels add up, longest first', () => {
  const runs = onHostClock([{ submitted: 0, dispatches: [at('short', 0, 1), at('long', 1, 5), at('short', 5, 7)] }])
  expect(byKernel(runs)).toEqual([
    { label: 'long', dispatches: 1, milliseconds: 4, flops: 6, bytes: 10 },
    { label: 'short', dispatches: 2, milliseconds: 3, flops: 12, bytes: 20 },
  ])
})
