import { expect, test } from 'vitest'
import { Pacer } from './pacer.ts'

/** A queue whose work is done when it is told so. */
function handQueue(): { readonly queue: GPUQueue; finish(): void } {
  const waiting: (() => void)[] = []
  // Only this method is called.
  const queue = { onSubmittedWorkDone: () => new Promise<undefined>((resolve) => { waiting.push(() => { resolve(undefined) }) }) } as unknown as GPUQueue
  return { queue, finish: () => { waiting.shift()?.() } }
}

test('waiting for a mark leaves what was submitted since', async () => {
  const { queue, finish } = handQueue()
  const pacer = new Pacer(queue, false)
  const run = { short: false, expected: 0 }
  pacer.submitted(run)
  pacer.submitted(run)
  const earlier = pacer.mark()
  pacer.submitted(run)
  expect(pacer.pending).toBe(3)
  finish()
  await earlier()
  expect(pacer.pending).toBe(1)
  const rest = pacer.settle()
  finish()
  await rest
  expect(pacer.pending).toBe(0)
})

test('a run that was waited for tells how long the next will take, and a slow one changes that little', async () => {
  const { queue, finish } = handQueue()
  const pacer = new Pacer(queue, true)
  const run = { short: false, expected: 0 }
  const after = async (milliseconds: number): Promise<void> => {
    pacer.submitted(run)
    setTimeout(finish, milliseconds)
    await pacer.settle()
  }
  await after(20)
  expect(run.expected).toBeGreaterThan(19)
  const { expected } = run
  await after(10 * expected)
  expect(run.expected).toBeCloseTo(1.2 * expected, 3)
  for (let i = 0; i < 20; i++) await after(2)
  expect(run.expected).toBeLessThan(20)
})
