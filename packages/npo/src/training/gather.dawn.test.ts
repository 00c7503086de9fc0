import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Device, Tensor } from '@antipode/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { TrainOptions, TrainStep } from './index.ts'
import { ToyRun } from './testing/toy-run.ts'

let device: Device
let folder: string
beforeAll(async () => {
  device = await Device.request()
  folder = mkdtempSync(join(tmpdir(), 'antipode-gather-'))
})
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await device[Symbol.asyncDispose]()
})

type Batch = Parameters<ToyRun['options']['loss']>[0]

/** A toy whose batch of each step comes in two halves. */
function halved(run: ToyRun): Pick<TrainOptions<Batch>, 'batch' | 'accumulate'> {
  const half = (t: Tensor, k: number): Tensor => t.slice(0, 2 * k, 2 * k + 2)
  return {
    accumulate: 2,
    batch: async (index) => {
      const whole = await run.options.batch(Math.floor(index / 2))
      return Object.fromEntries(
        Object.entries(whole).map(([name, value]) => [name, value instanceof Tensor ? half(value, index % 2) : value]),
      ) as unknown as Batch // the same names
    },
  }
}

async function stepsOf(run: ToyRun, changes: Parameters<ToyRun['train']>[0]): Promise<TrainStep[]> {
  const steps: TrainStep[] = []
  for await (const step of run.train({ steps: 8, ...changes })) steps.push(step)
  return steps
}

test.each([false, true])('batches that are accumulated make the step of all of them together; compiled %s', async (compile) => {
  using whole = new ToyRun(device)
  using parts = new ToyRun(device)
  const want = await stepsOf(whole, {})
  const got = await stepsOf(parts, { ...halved(parts), compile })
  for (const [i, { loss, gradNorm, metrics }] of got.entries()) {
    expect(loss).toBeCloseTo(want[i]!.loss, 5)
    expect(gradNorm).toBeCloseTo(want[i]!.gradNorm, 5)
    expect(metrics['error']).toBeCloseTo(want[i]!.metrics['error']!, 5)
  }
})

test('a run that is stopped between two batches of a step goes on to the same end, to the bit', async () => {
  const checkpoint = (name: string): TrainOptions<Batch>['checkpoint'] & { path: string } => ({
    path: join(folder, name), every: 100, recipe: 'toy',
  })
  const [whole, stopped] = [checkpoint('whole'), checkpoint('stopped')]
  const controller = new AbortController()
  {
    using run = new ToyRun(device)
    await stepsOf(run, { ...halved(run), checkpoint: whole })
  }
  {
    using run = new ToyRun(device)
    const parts = halved(run)
    const batch: typeof parts.batch = (index) => {
      // The first of the two batches of step 4.
      if (index === 8) controller.abort(new Error('enough'))
      return parts.batch(index)
    }
    await expect(stepsOf(
      run, { ...parts, batch, checkpoint: stopped, signal: controller.signal },
    )).rejects.toThrow('enough')
  }
  using run = new ToyRun(device)
  const rest = await stepsOf(run, { ...halved(run), checkpoint: stopped, resume: true })
  expect(rest.map(({ step }) => step)).toEqual([4, 5, 6, 7])
  expect(readFileSync(stopped.path).equals(readFileSync(whole.path))).toBe(true)
})

test('gradients that are accumulated may be reduced on their way', async () => {
  using run = new ToyRun(device)
  const seen: number[] = []
  const steps = await stepsOf(run, {
    ...halved(run),
    reduce: (gradients, step) => {
      seen.push(step)
      return new Map([...gradients].map(([name, g]) => [name, g.mul(0)]))
    },
  })
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(steps.every(({ gradNorm }) => gradNorm === 0)).toBe(true)
})
