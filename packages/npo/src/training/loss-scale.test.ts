import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CheckpointError, ConfigError, type Tensor, tensor } from '@antipode/core'
import { ema, type LossScaler, lossScaler, powerWarmup } from '@antipode/core/optim'
import { FakeHost } from '@antipode/core/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
// Made by tools/golden/training_tools.py with torch 2.15.
import golden from './loss-scale.golden.json' with { type: 'json' }
import { masterWeights, withAverages } from './index.ts'
import { type SlopeChanges, SlopeRun } from './testing/slope-run.ts'

const device = new FakeHost()
let folder: string
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'antipode-scale-')) })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(() => { rmSync(folder, { recursive: true }) })

type Options = Readonly<Record<string, number | undefined>>

function scalerOf(options: Options): LossScaler {
  const { init_scale: initScale, growth_interval: growthInterval, growth_factor: growthFactor, backoff_factor: backoffFactor } = options
  return lossScaler(Object.fromEntries(
    Object.entries({ initScale, growthInterval, growthFactor, backoffFactor }).filter(([, value]) => value !== undefined),
  ))
}

/** The loss of the golden runs: at some steps it is finite and its gradient is not. */
function unsteady(run: SlopeRun, bad: readonly number[]): Pick<SlopeChanges, 'loss'> {
  const root = (step: number): Tensor => run.w.mul(0).add(bad.includes(step) ? 0 : 1).sqrt().sum()
  return { loss: (step) => ({ loss: run.slope(step).add(root(step)), metrics: {} }) }
}

test.each(golden)('a scaled run makes the steps of torch under GradScaler, and leaves out those it does: $options', async ({ options, bad, steps }) => {
  for (const compile of [false, true]) {
    using run = new SlopeRun(device)
    const weights: (readonly number[])[] = []
    const made = await run.steps({
      ...unsteady(run, bad), steps: steps.length, compile, lossScaler: scalerOf(options as Options),
    }, (w) => { weights.push(w) })
    for (const [i, { scale, w }] of steps.entries()) {
      expect(made[i]).toMatchObject({ lossScale: scale, ...(bad.includes(i as never) ? { leftOut: true } : {}) })
      expect(made[i]?.leftOut ?? false).toBe((bad as number[]).includes(i))
      w.forEach((want, k) => { expect(Math.abs(weights[i]![k]! - want)).toBeLessThan(1e-6) })
    }
  }
})

test('where all is finite the scale changes nothing, to the bit: clipping, accumulation, averages', async () => {
  const weightsOf = async (changes: SlopeChanges): Promise<number[]> => {
    using average = ema(powerWarmup(0.9))
    using run = new SlopeRun(device, average)
    const steps = await run.steps({ steps: 6, clipNorm: 0.5, accumulate: 2, ema: average, ...changes })
    return [...await run.w.data(), ...await average.averages().get('w')!.data(), ...steps.flatMap(({ loss, gradNorm }) => [loss, gradNorm])]
  }
  expect(await weightsOf({ lossScaler: lossScaler({ initScale: 2 ** 20 }) })).toEqual(await weightsOf({}))
})

test('a run that is stopped goes on with its scale, its averages and their warm-up, to the same file bit for bit', async () => {
  const run = async (name: string, stopAt?: number): Promise<Buffer> => {
    const controller = new AbortController()
    using average = ema(powerWarmup(0.99))
    using slope = new SlopeRun(device, average)
    const path = join(folder, name)
    const work = slope.steps({
      ...unsteady(slope, [2, 3, 9]), lossScaler: lossScaler({ growthInterval: 2 }), ema: average,
      checkpoint: { path, every: 100, recipe: 'slope' }, resume: stopAt === Infinity, signal: controller.signal,
      batch: (step) => {
        if (step === stopAt) controller.abort(new TypeError('enough'))
        return step
      },
    })
    if (stopAt !== undefined && stopAt < Infinity) await expect(work).rejects.toThrow('enough')
    else await work
    return readFileSync(path)
  }
  const whole = await run('whole')
  // Within the steps after a change of scale.
  await run('parts', 4)
  expect((await run('parts', Infinity)).equals(whole)).toBe(true)
  using slope = new SlopeRun(device)
  const checkpoint = { path: join(folder, 'plain'), every: 100, recipe: 'slope' }
  await slope.steps({ steps: 1, checkpoint })
  await expect(slope.steps({ checkpoint, resume: true, lossScaler: lossScaler() })).rejects.toThrow(CheckpointError)
})

test('gradients that are not finite at any scale end the run', async () => {
  using run = new SlopeRun(device)
  await expect(run.steps({
    ...unsteady(run, [0, 1, 2, 3, 4]), lossScaler: lossScaler({ initScale: 4 }),
  })).rejects.toThrow(/^train: step 3: expected a finite gradNorm, got NaN/)
})

test('weights in f16 learn as masters in f32, in which updates add up that f16 loses', async () => {
  using run = new SlopeRun(device)
  using half = tensor(device, [1, -2, 0.5], [3], { dtype: 'f16' })
  const parameters = new Map([['w', half]])
  await expect(run.steps({ parameters, lossScaler: lossScaler() })).rejects.toThrow(ConfigError)
  const masters = await masterWeights(parameters)
  using master = masters.get('w')!
  using target = tensor(device, [1, 0, 0], [3])
  await run.steps({
    parameters: masters, steps: 8, lossScaler: lossScaler(), schedule: () => 1e-3,
    loss: () => ({ loss: master.to('f16').to('f32').mul(target).sum(), metrics: {} }),
  })
  // Eight updates of 1e-4, each below half the spacing of f16 at 1.
  expect((await master.data())[0]).toBeCloseTo(1 - 8e-4, 6)
})

test('parameters hold their averages for as long as something is made of them', async () => {
  using average = ema(0.5)
  using run = new SlopeRun(device, average)
  const parameters = new Map([['w', run.w]])
  await expect(withAverages(parameters, average, () => undefined)).rejects.toThrow(ConfigError)
  await run.steps({ steps: 3, ema: average })
  const before = await run.w.data()
  const inside = await withAverages(parameters, average, () => run.w.data())
  expect(inside).toEqual(await average.averages().get('w')!.data())
  expect(inside).not.toEqual(before)
  await expect(withAverages(parameters, average, () => { throw new TypeError('no disk') })).rejects.toThrow('no disk')
  expect(await run.w.data()).toEqual(before)
})
