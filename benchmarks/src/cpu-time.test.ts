import { expect, test } from 'vitest'
import { machineTime, mainThreadTime, processTime } from './cpu-time.ts'

test('clocks of CPU time go on while a thread computes, and the thread has no more than the process', () => {
  const before = [mainThreadTime(), processTime(), machineTime()] as const
  const begun = performance.now()
  while (performance.now() - begun < 50);
  const [thread, process] = [mainThreadTime() - before[0], processTime() - before[1]]
  expect(thread).toBeGreaterThan(1)
  // Read one after the other, the thread's a little earlier on both sides.
  expect(thread).toBeLessThan(process + 5)
  expect(machineTime()).toBeGreaterThanOrEqual(before[2])
})
