import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CheckpointError, ConfigError, Device, NumericError, type Tensor, tensor } from '@antipode/core'
import { writeSafetensors } from '@antipode/core/io'
import { ema, sgd } from '@antipode/core/optim'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { gap } from '../testing/toy.ts'
import { saveRun, train, type TrainOptions, type TrainStep } from './index.ts'
import { killRuns } from './testing/kill-runs.ts'
import { ToyRun, toySteps } from './testing/toy-run.ts'

let device: Device
let folder: string
beforeAll(async () => {
  device = await Device.request()
  folder = mkdtempSync(join(tmpdir(), 'antipode-train-'))
})
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await device[Symbol.asyncDispose]()
})

const checkpointAt = (name: string, every = 1): { path: string; every: number; recipe: string } =>
  ({ path: join(folder, `${name}.safetensors`), every, recipe: 'toy' })
type Changes = Parameters<ToyRun['train']>[0]

/** Trains a fresh toy and gives its steps; what it throws comes through once the toy is disposed. */
async function runToy(changes: Changes = {}, onStep: (step: TrainStep) => void = () => undefined): Promise<TrainStep[]> {
  using run = new ToyRun(device)
  const steps: TrainStep[] = []
  for await (const step of run.train(changes)) {
    steps.push(step)
    onStep(step)
  }
  return steps
}

/** The checkpoint that an uninterrupted run ends with: parameters, moments, averages and counts, to the bit. */
let whole: Promise<{ steps: TrainStep[]; bytes: Buffer }> | undefined
function wholeRun(): Promise<{ steps: TrainStep[]; bytes: Buffer }> {
  const checkpoint = checkpointAt('whole', 1000)
  whole ??= runToy({ checkpoint }).then((steps) => ({ steps, bytes: readFileSync(checkpoint.path) }))
  return whole
}

test('a compiled run asks for its loss once, and ends in the same checkpoint, to the bit', async () => {
  const { bytes, steps } = await wholeRun()
  using run = new ToyRun(device)
  const { loss } = run.options
  let asked = 0
  const checkpoint = checkpointAt('compiled', 1000)
  const compiled: TrainStep[] = []
  for await (const step of run.train({
    checkpoint,
    compile: true,
    loss: (batch) => {
      asked++
      return loss(batch)
    },
  })) compiled.push(step)
  expect(asked).toBe(1)
  expect(compiled).toEqual(steps)
  expect(readFileSync(checkpoint.path).equals(bytes)).toBe(true)
})

test('the loss of a toy falls, and every step reports its number, loss, gradient norm and metrics', async () => {
  const { steps } = await wholeRun()
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: toySteps }, (_, i) => i))
  for (const { steps: total, loss, gradNorm, metrics } of steps) {
    expect([total, Object.keys(metrics)]).toEqual([toySteps, ['error']])
    expect(metrics['error']).toBe(loss)
    expect(gradNorm).toBeGreaterThan(0)
  }
  // The same timesteps and noise in each step, so that only the weights differ.
  using run = new ToyRun(device)
  const losses: number[] = []
  for await (const step of run.train({ batch: () => run.options.batch(0) })) losses.push(step.loss)
  expect(losses.at(-1)).toBeLessThan(0.8 * (losses[0] ?? 0))
})

test('an update is the learning rate times the schedule times the clipped gradient', async () => {
  using w = tensor(device, [1, 2, 3], [3])
  using c = tensor(device, [3, 0, 4], [3])
  using optimizer = sgd({ lr: 0.5 })
  using averages = ema(0.5)
  const rates = [1, 0.25]
  const released: number[] = []
  const steps: TrainStep[] = []
  for await (const step of train({
    parameters: new Map([['w', w]]), optimizer, steps: 2, ema: averages, clipNorm: 1,
    batch: (index) => index,
    loss: () => ({ loss: w.mul(c).sum(), metrics: { largest: w.max() } }),
    release: (index) => { released.push(index) },
    schedule: (step) => rates[step] ?? Number.NaN,
  })) steps.push(step)
  // The gradient is c, of norm 5; the factor 1/(5 + 1e-6) is 0.2 within f32.
  const first = [1 - 0.5 * 0.6, 2, 3 - 0.5 * 0.8]
  const second = [0.7 - 0.125 * 0.6, 2, 2.6 - 0.125 * 0.8]
  expect(gap(await w.data(), second)).toBeLessThan(1e-6)
  expect(gap(await averages.averages().get('w')?.data() ?? [], first.map((x, i) => (x + (second[i] ?? 0)) / 2))).toBeLessThan(1e-6)
  expect(released).toEqual([0, 1])
  expect(steps[0]).toEqual({ step: 0, steps: 2, loss: 15, gradNorm: 5, metrics: { largest: 3 } })
  expect(steps[1]?.loss).toBeCloseTo(3 * 0.7 + 4 * 2.6, 5)
})

test('aborting saves a checkpoint and rejects with the reason, and the resumed run ends bit for bit like the whole one', async () => {
  const { steps, bytes } = await wholeRun()
  const checkpoint = checkpointAt('aborted', 1000)
  const [controller, reason] = [new AbortController(), new TypeError('enough')]
  await expect(runToy({ checkpoint, signal: controller.signal }, ({ step }) => { if (step === 8) controller.abort(reason) })).rejects.toBe(reason)
  const rest = await runToy({ checkpoint, resume: true })
  expect(rest).toEqual(steps.slice(9))
  expect(readFileSync(checkpoint.path).equals(bytes)).toBe(true)
  // Nothing is left to do, and nothing is done.
  expect(await runToy({ checkpoint, resume: true })).toEqual([])
})

test('aborting without a checkpoint rejects with the reason, and leaving the loop early saves nothing', async () => {
  const reason = new TypeError('enough')
  await expect(runToy({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  using run = new ToyRun(device)
  const checkpoint = checkpointAt('left', 1000)
  let released = 0
  for await (const { step } of run.train({ checkpoint, release: () => { released++ } })) if (step === 1) break
  expect(released).toBe(2)
  expect(existsSync(checkpoint.path)).toBe(false)
})

test('a run that is killed again and again, at random moments and within saves, ends resumed in the same bits and leaves nothing behind', async () => {
  const { bytes } = await wholeRun()
  const report = await killRuns({ path: checkpointAt('killed').path, kills: 4, expected: bytes })
  const { kills, equal, left, moments } = report
  expect({ kills, equal, left }, moments.join(', ')).toEqual({ kills: 4, equal: 4, left: [] })
})

test('two runs do not save to one path: the second is refused before it changes anything, and told by whom', async () => {
  using run = new ToyRun(device)
  const checkpoint = checkpointAt('shared')
  const steps = run.train({ checkpoint })
  await steps.next()
  await expect(runToy({ checkpoint })).rejects.toThrow(new RegExp(`^train: expected ".*shared.safetensors" to be used by this run alone, got process ${process.pid} on .* since `))
  await steps.return()
  expect(await runToy({ checkpoint, steps: 1 })).toHaveLength(1)
})

test('a checkpoint that does not fit is refused, and neither it nor the weights change', async () => {
  await wholeRun()
  const path = join(folder, 'whole.safetensors')
  const intact = readFileSync(path)
  const refused = async (changes: Changes, pattern: RegExp, recipe = 'toy'): Promise<void> => {
    using run = new ToyRun(device)
    const weights = await run.model.fc1.weight.data()
    const file = readFileSync(path)
    const error = await run.train({ checkpoint: { path, every: 1, recipe }, resume: true, ...changes }).next().catch((e: unknown) => e)
    expect(error).toBeInstanceOf(CheckpointError)
    expect((error as Error).message).toMatch(pattern)
    expect(readFileSync(path).equals(file)).toBe(true)
    expect(await run.model.fc1.weight.data()).toEqual(weights)
  }
  await refused({}, /run of another recipe\n {2}expected other\n {2}got toy/, 'other')
  using optimizer = sgd({ lr: 1 })
  await refused({ optimizer }, /named <parameter>.momentum_buffer/)
  await refused({ steps: toySteps - 1 }, new RegExp(`up to ${toySteps - 1} steps .*, got one of ${toySteps}; raise steps`))
  using other = tensor(device, [0], [1])
  await refused({ parameters: new Map([['other', other]]) }, /expected all 1 parameters, got all but 1, such as other/)
  for (const size of [0, 7, 200, intact.length - 1]) {
    truncateSync(path, size)
    await refused({}, /readSafetensors/)
    writeFileSync(path, intact)
  }
  await writeSafetensors(path, [])
  await refused({}, /expected a training run in .*, got another file/)
  writeFileSync(path, intact)
})

test('a number that is not finite ends the run with the step and the metric, and leaves what was saved', async () => {
  using run = new ToyRun(device)
  using samples = tensor(device, new Float32Array(8).fill(Number.NaN), [4, 2], { allowNonFinite: true })
  const checkpoint = checkpointAt('nan')
  let released = 0
  const work = async (): Promise<void> => {
    for await (const { step } of run.train({
      checkpoint, release: () => { released++ },
      batch: async (step) => ({ ...await run.options.batch(step), ...(step === 2 ? { samples } : {}) }),
    })) expect(step).toBeLessThan(2)
  }
  const error = await work().catch((e: unknown) => e)
  expect(error).toBeInstanceOf(NumericError)
  expect((error as NumericError).message).toMatch(/^train: step 2: expected a finite error, got NaN; /)
  expect((error as NumericError).where).toBe('error')
  expect(released).toBe(3)
  expect((await runToy({ checkpoint, resume: true }))[0]?.step).toBe(2)
})

test('a checkpoint is never replaced by one that is not finite: updates are looked at before they are saved', async () => {
  const checkpoint = checkpointAt('good')
  const run = async (changes: Partial<TrainOptions<number>>, options: Partial<TrainOptions<number>> = { checkpoint }): Promise<void> => {
    using w = tensor(device, [1, 2, 3], [3])
    using c = tensor(device, [3, 0, 4], [3])
    using optimizer = sgd({ lr: 1 })
    using averages = ema(0.5)
    for await (const { step } of train({
      parameters: new Map([['w', w]]), optimizer, ema: averages, steps: 4, batch: (index) => index,
      loss: () => ({ loss: w.mul(c).sum(), metrics: {} }), ...options, ...changes,
    })) expect(step).toBeLessThan(4)
  }
  await run({ steps: 3 })
  const good = readFileSync(checkpoint.path)
  // The last update overflows after the last loss and gradient were measured.
  const last = (factor: number) => (step: number): number => (step === 3 ? factor : 1)
  for (const [factor, message] of [
    [3e38, /^saveRun: expected finite numbers, got -Infinity at parameter.w\[0\]; lower the learning rate/],
    [Number.NaN, /^train: step 3: expected schedule to give a finite factor of 0 or more, got NaN; /],
    [-1, /got -1; /],
    [1e39, /^sgd.update: expected lr to be a number of 0 or more that is finite in f32, got 1e\+39/],
  ] as const) {
    await expect(run({ resume: true, schedule: last(factor) })).rejects.toThrow(message)
    expect(readFileSync(checkpoint.path).equals(good)).toBe(true)
  }
  await run({ resume: true, schedule: last(0) })
  expect(readFileSync(checkpoint.path).equals(good)).toBe(false)
  // Without a checkpoint the end of a run is looked at all the same.
  await expect(run({ steps: 1, schedule: () => 3e38 }, {})).rejects.toThrow(/^train: expected finite numbers, got -Infinity at parameter.w\[0\]/)
})

test('whoever saves a run that is not finite is told where it is not', async () => {
  const checkpoint = checkpointAt('whose')
  for (const kind of ['parameter', 'optimizer', 'ema'] as const) {
    using run = new ToyRun(device)
    for await (const { step } of run.train({ steps: 1 })) expect(step).toBe(0)
    const state = { parameters: run.model.state(), optimizer: run.optimizer, ema: run.ema }
    await saveRun(state, 1, checkpoint)
    const saved = readFileSync(checkpoint.path)
    const tensors = { parameter: state.parameters, optimizer: state.optimizer.state().tensors, ema: state.ema.state().tensors }[kind]
    const [name, t] = [...tensors].at(-1) as [string, Tensor]
    const values = await t.data()
    values[values.length - 1] = kind === 'ema' ? Infinity : Number.NaN
    t.write(values, { allowNonFinite: true })
    const error = await saveRun(state, 1, checkpoint).catch((e: unknown) => e) as NumericError
    expect(error).toBeInstanceOf(NumericError)
    expect(error.where).toBe(`${kind}.${name}`)
    expect(readFileSync(checkpoint.path).equals(saved)).toBe(true)
  }
})

test('saving looks at what it saves where that lies, and plans it once', async () => {
  const { gpu } = device
  const labels: (string | undefined)[] = []
  const encoder = gpu.createCommandEncoder.bind(gpu)
  gpu.createCommandEncoder = (described) => {
    labels.push(described?.label)
    return encoder(described)
  }
  const plans: number[] = []
  const laid: number[] = []
  try {
    await runToy({ checkpoint: checkpointAt('often'), steps: 5 }, () => {
      plans.push(device.counters().plans)
      laid.push(labels.filter((label) => label === 'antipode coalesce').length)
    })
  } finally {
    gpu.createCommandEncoder = encoder
  }
  // The first step lays parameters, moments and averages together, and the first save is planned after it.
  expect(laid).toEqual(Array<number>(5).fill(laid[0] as number))
  expect(laid[0]).toBeGreaterThan(0)
  expect(plans.slice(2)).toEqual(Array<number>(3).fill(plans[2] as number))
})

test.each<[string, object]>([
  ['clipNorm', { clipNorm: -1 }], ['clipNorm', { clipNorm: Number.NaN }], ['clipNorm', { clipNorm: 0 }],
  ['steps', { steps: Number.NaN }], ['steps', { steps: 2.5 }], ['steps', { steps: 0 }], ['steps', { steps: '9' }],
  ['every', { checkpoint: { path: 'x', every: 0, recipe: '' } }], ['every', { checkpoint: { path: 'x', recipe: '' } }],
  ['path', { checkpoint: { path: '', every: 1, recipe: '' } }], ['among path, every, recipe', { checkpoint: { path: 'x', every: 1, recipe: '', keep: 3 } }],
  ['error', { limits: { error: Number.NaN } }], ['schedule', { schedule: 0.5 }], ['compile', { compile: 'yes' }], ['ema', { ema: 0.9 }],
  ['signal', { signal: {} }], ['batch', { batch: undefined }], ['parameters', { parameters: {} }], ['got clip;', { clip: 1 }],
])('options that mean nothing are refused: %s of %o', async (name, changes) => {
  const error = await runToy(changes).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as Error).message).toMatch(/^train(: checkpoint|: limits)?: expected /)
  expect((error as Error).message).toContain(name)
})

test('a metric past its limit ends the run, and options that would be ignored are refused', async () => {
  await expect(runToy({ limits: { error: 1e-3, loss: 100 } })).rejects.toThrow(/^train: step 0: expected a finite error of at most 0.001, got \d/)
  await expect(runToy({ limits: { accuracy: 1 } })).rejects.toThrow(new ConfigError('train: expected limits on error, loss, gradNorm, got one on "accuracy"'))
  await expect(runToy({ parameters: new Map() })).rejects.toThrow('expected at least one parameter, got none')
  await expect(runToy({ resume: true })).rejects.toThrow(new ConfigError('train: expected a checkpoint to resume from, got none; set checkpoint'))
  await expect(runToy({ checkpoint: checkpointAt('missing'), resume: true })).rejects.toThrow(CheckpointError)
  const failing = (): never => { throw new RangeError('no loss') }
  await expect(runToy({ loss: failing })).rejects.toThrow('no loss')
})
