import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constant, ConfigError } from '@antipode/core'
import { lossScaler } from '@antipode/core/optim'
import { FakeHost } from '@antipode/core/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { above, belowStart, CollapseError, pinned, type StopRule, type TrainStep } from './index.ts'
import { type SlopeChanges, SlopeRun } from './testing/slope-run.ts'

const device = new FakeHost()
let folder: string
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'antipode-stop-')) })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(() => { rmSync(folder, { recursive: true }) })

/** The step at which a rule ends a run of such values of a metric, and the one that it gives as the beginning. */
function ends(rule: StopRule, values: readonly number[]): readonly [step: number, since: number | undefined] | undefined {
  let memory: readonly number[] = []
  for (const [step, value] of values.entries()) {
    const look = rule.look({ step, steps: values.length, loss: 0, gradNorm: 1, metrics: { m: value } }, memory)
    // As a checkpoint keeps it.
    memory = JSON.parse(JSON.stringify(look.memory)) as number[]
    if (look.because !== undefined) return [step, look.since]
  }
  return undefined
}

test.each<[string, StopRule, readonly number[], readonly [number, number] | undefined]>([
  ['above', above('m', 2), [1, 2, 3], [2, 2]],
  ['above for some steps', above('m', 2, { steps: 2 }), [3, 1, 3, 4], [3, 2]],
  ['never above', above('m', 2, { steps: 2 }), [3, 1, 3, 1], undefined],
  ['pinned at 1', pinned('m', { steps: 3 }), [1, 1, 0, 1, 1, 1], [5, 3]],
  ['pinned at 0', pinned('m', { steps: 3 }), [0.5, 0, 0, 0], [3, 1]],
  ['between 0 and 1', pinned('m', { steps: 2 }), [0, 1, 0, 1, 0.5, 0.5, 0.5], undefined],
  ['pinned at another value', pinned('m', { steps: 2, at: [0.5] }), [1, 1, 0.5, 0.5], [3, 2]],
  ['below its start', belowStart('m', { steps: 2 }), [1, 3, 2.5, 1, 1], [4, 3]],
  ['below its start by more than a margin', belowStart('m', { steps: 2, margin: 1 }), [1, 3, 1.5, 1.5, 0.5, 0], [5, 4]],
  ['a beginning that is below itself', belowStart('m', { steps: 3 }), [1, 0, -1, 0, 1], undefined],
])('%s', (_, rule, values, want) => { expect(ends(rule, values)).toEqual(want) })

/** A run whose accuracy is stuck at 1 from step 5 on. */
function stuck(run: SlopeRun): SlopeChanges {
  return {
    loss: (step) => ({ loss: run.slope(step), metrics: { accuracy: constant(device, [step < 5 ? 0.5 : 1]) } }),
    stop: [above('gradNorm', 100), pinned('accuracy', { steps: 6 })],
  }
}

test('a run that collapses says why, and leaves the checkpoint from before that began', async () => {
  const checkpoint = { path: join(folder, 'run'), every: 2, recipe: 'slope' }
  const weights: (readonly number[])[] = []
  const steps: TrainStep[] = []
  using run = new SlopeRun(device)
  const work = async (): Promise<void> => {
    for await (const step of run.train({ ...stuck(run), checkpoint })) {
      steps.push(step)
      weights.push([...await run.w.data()])
      if (step.step === 8) expect(existsSync(`${checkpoint.path}.good`)).toBe(true)
    }
  }
  const error = await work().catch((e: unknown) => e) as CollapseError
  expect(error).toBeInstanceOf(CollapseError)
  expect(error.collapse).toEqual({ rule: 'pinned accuracy', step: 10, since: 5, because: 'accuracy 1 for 6 steps' })
  expect(error.message).toBe(
    'train: step 10: expected a run that learns, got accuracy 1 for 6 steps; lower the learning rate or raise beta, and go ' +
      `on from ${checkpoint.path}, which is from before step 5`,
  )
  expect(steps).toHaveLength(10)
  expect(existsSync(`${checkpoint.path}.good`)).toBe(false)
  // It goes on from step 4, once the rule is another.
  using again = new SlopeRun(device)
  const rest = await again.steps({ ...stuck(again), checkpoint, resume: true, stop: [] })
  expect(rest[0]?.step).toBe(4)
  expect([...await again.w.data()]).not.toEqual(weights[9])
})

test('a run that is stopped while a rule counts ends where one that was not does', async () => {
  const checkpoint = { path: join(folder, 'counting'), every: 100, recipe: 'slope' }
  const controller = new AbortController()
  {
    using run = new SlopeRun(device)
    const batch = (step: number): number => {
      if (step === 7) controller.abort(new TypeError('enough'))
      return step
    }
    await expect(run.steps({ ...stuck(run), checkpoint, batch, signal: controller.signal })).rejects.toThrow('enough')
  }
  const saved = readFileSync(checkpoint.path)
  using run = new SlopeRun(device)
  const error = await run.steps({ ...stuck(run), checkpoint, resume: true }).catch((e: unknown) => e) as CollapseError
  expect(error.collapse).toMatchObject({ step: 10, since: 5 })
  expect(readFileSync(checkpoint.path).equals(saved)).toBe(true)
})

test('steps that are left out end nothing', async () => {
  using run = new SlopeRun(device)
  const loss: SlopeChanges['loss'] = (step) => ({ loss: run.slope(step).add(run.w.mul(0).add(step === 1 ? 0 : 1).sqrt().sum()), metrics: {} })
  expect(await run.steps({ loss, lossScaler: lossScaler(), stop: [above('gradNorm', 2)], steps: 4 })).toHaveLength(4)
})

test('rules that mean nothing are refused', async () => {
  for (const bad of [
    () => above('m', Number.NaN), () => above('m', 1, { steps: 0 }), () => pinned('m', { steps: 0.5 }), () => pinned('m', {} as never),
    () => pinned('m', { steps: 1, at: [Infinity] }), () => belowStart('m', { steps: 2, margin: -1 }),
  ]) expect(bad).toThrow(ConfigError)
  using run = new SlopeRun(device)
  await expect(run.steps({ stop: [above('kl', 1)] })).rejects.toThrow(new ConfigError('above: expected a metric among loss, gradNorm, got "kl"'))
  await expect(run.steps({ stop: [above('loss', 1), above('loss', 2)] })).rejects.toThrow(/two called "above loss"/)
})
