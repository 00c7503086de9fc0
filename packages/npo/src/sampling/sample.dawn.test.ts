import { ConfigError, Device, NumericError, randn, type Tensor, tensor } from '@antipode/core'
import { philoxNormal } from '@antipode/core/random'
import {
  currentTimestep, ddim, ddpm, dpmSolverMultistep, euler, float32Linear, heun, isDone, lcm, type NoiseStream, perItem, philox, saSolver,
  type Scheduler, SchedulerError, type SchedulerState, type StepHooks, torchCpu,
} from '@antipode/schedulers'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { gap, take } from '../testing/toy.ts'
import { sample, sampleToEnd } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const shape = [2, 3]
const start = (): Tensor => tensor(device, philoxNormal(6, { seed: 5 }), shape)
/** A denoiser that bends and looks at the timestep and the condition. */
const denoise = (x: Tensor, timesteps: Tensor, c: Tensor): Tensor =>
  x.div(x.square().add(1)).add(x.mul(timesteps.div(2000).unsqueeze(1))).add(c)
const condition = [0.1, -0.2, 0.3]

/** The same run on the host: a plain loop over arrays, from scaled noise or from a state and its sample. */
function loop(
  scheduler: Scheduler,
  steps: number,
  seed: number,
  hooks: StepHooks<Float32Array> = {},
  from?: { readonly state: SchedulerState<Float32Array>; readonly x: Float32Array },
  // Streams from 2³¹ on: initial noise of the same seed, drawn from stream 0 as is usual, is never added again.
  draw = (call: number): Float32Array => philoxNormal(6, { seed, stream: 2 ** 31 + call }),
): { samples: Float32Array[]; x0s: Float32Array[] } {
  let state = from?.state ?? scheduler.begin<Float32Array>(steps)
  let x: Float32Array = from?.x ?? philoxNormal(6, { seed: 5 }).map((v) => v * scheduler.initNoiseSigma(state.plan))
  const samples: Float32Array[] = []
  const x0s: Float32Array[] = []
  while (!isDone(state)) {
    const t = currentTimestep(state)
    const input = x.map((v) => v * scheduler.inputScale(state))
    const prediction = input.map((v, i) => v / (v * v + 1) + v * t / 2000 + (condition[i % 3] ?? Number.NaN))
    const noise = scheduler.needsNoise(state) ? draw(state.step) : undefined
    const next = scheduler.step(float32Linear, state, prediction, x, noise, hooks)
    state = next.state
    x = next.sample
    samples.push(x)
    x0s.push(next.x0)
  }
  return { samples, x0s }
}

/** Draws of a stream, one after the other. */
function drawing<S>(stream: NoiseStream<S>, from: S): () => Float32Array {
  let state = from
  return () => {
    const drawn = stream.draw(state, 6)
    state = drawn.state
    return drawn.values
  }
}

const solvers: readonly (readonly [string, Scheduler])[] = [
  ['ddim, clipping', ddim()],
  ['ddim of η = 0, without clipping', ddim({ clipSample: false, timestepSpacing: 'trailing' })],
  ['euler, whose input is scaled', euler()],
  ['dpmSolverMultistep 2M', dpmSolverMultistep()],
  ['dpmSolverMultistep 2M, stochastic', dpmSolverMultistep({ algorithmType: 'sde-dpmsolver++' })],
  ['ddpm, which adds noise', ddpm()],
]

test.each(solvers)('%s gives what a plain loop over arrays gives, step by step', async (_, scheduler) => {
  const want = loop(scheduler, 8, 11)
  using noise = start()
  using c = tensor(device, condition, [1, 3])
  let steps = 0
  for await (const { index, steps: total, timestep, sample: x, x0 } of sample(denoise, scheduler, noise, c, { steps: 8, seed: 11, preview: true })) {
    expect([index, total, timestep]).toEqual([steps, 8, scheduler.timesteps(8).timesteps[steps]])
    const [wantX, wantX0] = [want.samples[steps] ?? [], want.x0s[steps] ?? []]
    const size = Math.max(1, ...Array.from(wantX, Math.abs), ...Array.from(wantX0, Math.abs))
    // Eight steps in f32 against f64 sums rounded once a step; at high noise x₀ = (x − σ·ε)/√ᾱ loses up to two digits.
    expect(gap(await x.data(), wantX) / size, `sample ${steps}`).toBeLessThan(1e-5)
    expect(gap(await (x0 as Tensor).data(), wantX0) / size, `x0 ${steps}`).toBeLessThan(1e-5)
    steps++
    if (steps === 8) x.dispose()
  }
  expect(steps).toBe(8)
})

test('sampleToEnd gives the last sample, and equal seeds give equal results', async () => {
  using noise = start()
  using c = tensor(device, condition, [1, 3])
  const run = (seed: number): Promise<Tensor> => sampleToEnd(denoise, ddpm(), noise, c, { steps: 4, seed })
  const [first, again, other] = [await take(await run(1)), await take(await run(1)), await take(await run(2))]
  expect(gap(first, loop(ddpm(), 4, 1).samples[3] ?? [])).toBeLessThan(1e-5)
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
})

test('the fresh noise of a step is never the initial noise of the same seed', async () => {
  // The run adds σ·z to a mean; with z = the initial noise the result would be that noise, scaled.
  const scheduler = ddpm({ clipSample: false })
  using noise = randn(device, [1, 4096], { seed: 0 }).mul(1)
  const [t] = scheduler.timesteps({ timesteps: [900, 100] }).timesteps
  expect(t).toBe(900)
  for await (const { sample: x } of sample((input) => input.mul(0).add(1), scheduler, noise, undefined, { steps: { timesteps: [900, 100] } })) {
    using product = x.sub(x.mean()).mul(noise).mean()
    using deviation = x.sub(x.mean()).square().mean().sqrt()
    const [start0, mean] = [scheduler.begin<Float32Array>({ timesteps: [900, 100] }), new Float32Array(1)]
    // What of the initial noise the mean keeps is known: the step is linear in it.
    const kept = scheduler.step(float32Linear, start0, mean, Float32Array.of(1), mean).sample[0] ?? Number.NaN
    const correlation = (await product.item() - kept) / await deviation.item()
    // Independent noise of 4,096 elements correlates by 1/64 at one deviation.
    expect(Math.abs(correlation)).toBeLessThan(5 / 64)
    break
  }
})

test('a hook on x₀ changes what the step goes on from', async () => {
  const scheduler = ddim({ clipSample: false })
  const want = loop(scheduler, 3, 0, { x0: (x) => x.map((v) => Math.min(0.5, Math.max(-0.5, v))) })
  using noise = start()
  using c = tensor(device, condition, [1, 3])
  const got = await take(await sampleToEnd(denoise, scheduler, noise, c, { steps: 3, x0: (x) => x.clamp(-0.5, 0.5) }))
  expect(gap(got, want.samples[2] ?? [])).toBeLessThan(1e-5)
  expect(gap(got, loop(scheduler, 3, 0).samples[2] ?? [])).toBeGreaterThan(0.01)
})

test('an image starts a run at the level of its first step, which a strength or a number says', async () => {
  const clean = Float32Array.of(0.5, -0.25, 0.1, 0.75, -1, 0)
  const drawn = philoxNormal(6, { seed: 5 })
  using noise = start()
  using c = tensor(device, condition, [1, 3])
  using image = tensor(device, clean, shape)
  const before = device.memory().tensors
  for (const scheduler of [ddim({ clipSample: false }), euler(), dpmSolverMultistep()]) {
    const begun = scheduler.begin<Float32Array>(10, 6)
    const want = loop(scheduler, 10, 0, {}, { state: begun, x: scheduler.addNoise(float32Linear, clean, drawn, begun) })
    for (const options of [{ steps: { count: 10, strength: 0.4 } }, { steps: 10, startAt: 6 }, { steps: { count: 10, strength: 0.9 }, startAt: 6 }]) {
      const seen: number[] = []
      for await (const { index, steps, sample: x } of sample(denoise, scheduler, noise, c, { ...options, image })) {
        seen.push(index)
        expect(steps).toBe(10)
        if (index === 9) expect(gap(await take(x), want.samples[3] ?? [])).toBeLessThan(1e-5)
      }
      expect(seen).toEqual([6, 7, 8, 9])
    }
  }
  expect(device.memory().tensors).toBe(before)
})

test('a solver whose plan follows the strength takes all of its steps from the image', async () => {
  using noise = start()
  using c = tensor(device, condition, [1, 3])
  using image = tensor(device, new Float32Array(6).fill(0.5), shape)
  let calls = 0
  for await (const { index, steps, sample: x } of sample(denoise, lcm(), noise, c, { steps: { count: 3, strength: 0.5 }, image })) {
    expect([index, steps]).toEqual([calls++, 3])
    if (calls === 3) x.dispose()
  }
  expect(calls).toBe(3)
})

test('a run that begins late without an image, or has no step left, is refused', async () => {
  using noise = start()
  using image = start()
  const before = device.memory().tensors
  const run = (options: Partial<Parameters<typeof sampleToEnd>[4]>): Promise<Tensor> =>
    sampleToEnd((x) => x.mul(0.5), ddim(), noise, undefined, { steps: 4, ...options })
  await expect(run({ startAt: 2 })).rejects.toThrow(ConfigError)
  await expect(run({ steps: { count: 4, strength: 0.5 } })).rejects.toThrow(/expected an image for a run from call 2 on/)
  await expect(run({ steps: { count: 4, strength: 0.1 }, image })).rejects.toThrow(SchedulerError)
  await expect(run({ startAt: 5, image })).rejects.toThrow(SchedulerError)
  expect(device.memory().tensors).toBe(before)
})

test('a solver that clips its estimate hides no NaN', async () => {
  using noise = start()
  for (const scheduler of [ddim({ clipSample: true }), ddpm({ clipSample: true })]) {
    await expect(sampleToEnd((x) => x.mul(Number.NaN), scheduler, noise, undefined, { steps: 3 })).rejects.toThrow(/expected finite samples, got NaN or infinity from step 0/)
  }
})

test('a run that leaves no step names the option that says so', async () => {
  using noise = start()
  using image = start()
  const run = (options: Parameters<typeof sampleToEnd>[4], scheduler: Scheduler = ddim()): Promise<Tensor> =>
    sampleToEnd((x) => x.mul(0.5), scheduler, noise, undefined, { image, ...options })
  await expect(run({ steps: { count: 10, strength: 0.05 } })).rejects.toThrow(
    new SchedulerError('ddim.timesteps: expected strength to leave one of 10 steps, got 0.05; take strength 0.1 or more, or 20 steps'),
  )
  await expect(run({ steps: { count: 7, strength: 0.1 } }, heun())).rejects.toThrow(/strength to leave one of 7 steps, got 0.1; take strength 0.1429 or more/)
  await expect(run({ steps: 4, startAt: 4 })).rejects.toThrow(/expected startAt from 0 to 3, got 4/)
  for (const [count, strength] of [[10, 0.1], [7, 0.1429], [49, 0.0205]] as const) {
    expect(isDone(ddim().begin(ddim().timesteps({ count, strength })))).toBe(false)
  }
})

test('options, images and predictions that would be ignored or broadcast are refused', async () => {
  using noise = start()
  using small = tensor(device, [1, 2, 3], [1, 3])
  const run = (options: object, model = (x: Tensor): Tensor => x.mul(0.5)): Promise<Tensor> =>
    sampleToEnd(model, ddim(), noise, undefined, { steps: 2, ...options })
  const wrong = [{ stepz: 3 }, { seed: -1 }, { seed: 0.5 }, { startAt: 1.5 }, { signal: {} }, { x0: 3 }, { image: [1] }, { steps: undefined }, { steps: '3' }]
  for (const options of wrong) await expect(run(options), JSON.stringify(options)).rejects.toThrow(ConfigError)
  for (const steps of [2.5, Number.NaN, { count: 0 }, { counts: 3 }]) await expect(run({ steps })).rejects.toThrow(SchedulerError)
  await expect(run({ image: small })).rejects.toThrow(/expected an image of the shape of the noise, \[2,3\], got \[1,3\]/)
  await expect(run({ x0: (x0: Tensor) => x0.slice(1, 0, 1) })).rejects.toThrow(/expected the x0 hook's result of the shape of the noise/)
  await expect(run({}, (x) => x.slice(0, 0, 1))).rejects.toThrow(/expected predictions of the shape of the noise/)
})

test.each<[number, 'f32' | 'f16']>([[Number.NaN, 'f32'], [Infinity, 'f32'], [-Infinity, 'f16']])(
  'a result that is not finite is an error that names the first step where it was not: %d in %s', async (bad, dtype) => {
    if (dtype === 'f16' && !device.target.f16) return
    using noise = tensor(device, philoxNormal(6, { seed: 5 }), shape, { dtype })
    // One element of one prediction, at the third of five calls.
    using hole = tensor(device, [0, 0, 0, 0, 0, bad], shape, { dtype, allowNonFinite: true })
    const scheduler = dpmSolverMultistep()
    const timestep = scheduler.timesteps(5).timesteps[2]
    const seen: number[] = []
    const run = async (): Promise<void> => {
      let call = 0
      const model = (x: Tensor): Tensor => (call++ === 2 ? x.mul(0.5).add(hole) : x.mul(0.5))
      for await (const { index } of sample(model, scheduler, noise, undefined, { steps: 5 })) seen.push(index)
    }
    const error = await run().catch((e: unknown) => e) as NumericError
    expect(error).toBeInstanceOf(NumericError)
    expect(error.message).toMatch(new RegExp(`^sample: expected finite samples, got NaN or infinity from step 2 \\(timestep ${timestep}\\) on; `))
    expect(error.where).toBe('step 2')
    // The last sample is never handed out.
    expect(seen).toEqual([0, 1, 2, 3])
  },
)

test('fresh noise comes from a stream where one is given, and leaves no tensor behind', async () => {
  using noise = start()
  using c = tensor(device, condition, [1, 3])
  const before = device.memory().tensors
  const streams: readonly NoiseStream<unknown>[] = [torchCpu(3), philox(3), perItem([torchCpu(1), torchCpu(2)])]
  // saSolver keeps the noise of a step for the next; ddpm does not.
  for (const scheduler of [ddpm(), saSolver({ timestepSpacing: 'trailing' })]) {
    for (const stream of streams) {
      const want = loop(scheduler, 5, 0, {}, undefined, drawing(stream, stream.begin())).samples[4] ?? []
      const got = await take(await sampleToEnd(denoise, scheduler, noise, c, { steps: 5, stream }))
      expect(gap(got, want) / Math.max(1, ...Array.from(want, Math.abs))).toBeLessThan(1e-5)
      expect(device.memory().tensors).toBe(before)
    }
    for await (const { index } of sample(denoise, scheduler, noise, c, { steps: 5, stream: torchCpu(3) })) if (index === 2) break
    expect(device.memory().tensors).toBe(before)
  }
})

test('a stream goes on where the draw of the initial noise left it', async () => {
  const stream = torchCpu(0)
  const first = stream.draw(stream.begin(), 6)
  using noise = tensor(device, first.values, shape)
  using c = tensor(device, condition, [1, 3])
  const want = loop(ddpm(), 3, 0, {}, { state: ddpm().begin(3), x: first.values }, drawing(stream, first.state))
  const got = await take(await sampleToEnd(denoise, ddpm(), noise, c, { steps: 3, stream: { ...stream, begin: () => first.state } }))
  expect(gap(got, want.samples[2] ?? [])).toBeLessThan(1e-5)
})

test('without previews a step has no estimate, and batches of any size sample at once', async () => {
  using noise = tensor(device, new Float32Array(1500).fill(0.5), [1500, 1])
  const seen: number[] = []
  for await (const step of sample((x, t) => x.mul(t.div(1000).unsqueeze(1)), ddim(), noise, undefined, { steps: 2 })) {
    expect('x0' in step).toBe(false)
    seen.push(step.sample.size)
    if (step.index === 1) {
      const values = await take(step.sample)
      expect(new Set(values).size).toBe(1)
      expect(values[0]).toBeGreaterThan(0)
    }
  }
  expect(seen).toEqual([1500, 1500])
})

test('leaving early disposes everything, but the last sample is the caller\'s even if the loop is left there', async () => {
  using noise = start()
  using c = tensor(device, condition, [1, 3])
  const before = device.memory().tensors
  for (const preview of [false, true]) {
    for await (const { index } of sample(denoise, dpmSolverMultistep(), noise, c, { steps: 6, preview })) if (index === 2) break
    expect(device.memory().tensors).toBe(before)
  }
  let result: Tensor | undefined
  for await (const { index, sample: x } of sample(denoise, dpmSolverMultistep(), noise, c, { steps: 3, preview: true })) {
    result = x
    if (index === 2) break
  }
  expect(device.memory().tensors).toBe(before + 1)
  expect((await take(result as Tensor)).every(Number.isFinite)).toBe(true)
})

test('aborting rejects with the reason of the signal and disposes everything', async () => {
  using noise = start()
  using c = tensor(device, condition, [1, 3])
  const before = device.memory().tensors
  const [controller, reason] = [new AbortController(), new TypeError('enough')]
  let steps = 0
  const run = async (): Promise<void> => {
    for await (const step of sample(denoise, dpmSolverMultistep(), noise, c, { steps: 6, signal: controller.signal })) {
      steps++
      if (step.index === 1) controller.abort(reason)
    }
  }
  await expect(run()).rejects.toBe(reason)
  expect(steps).toBe(2)
  await expect(sampleToEnd(denoise, ddim(), noise, c, { steps: 2, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(device.memory().tensors).toBe(before)
})

test('errors of the model and of the plan come through and leave nothing behind', async () => {
  using noise = start()
  const before = device.memory().tensors
  let calls = 0
  const failing = (x: Tensor): Tensor => {
    calls++
    if (calls === 3) throw new RangeError('no more')
    return x.mul(0.5)
  }
  await expect(sampleToEnd(failing, dpmSolverMultistep(), noise, undefined, { steps: 5 })).rejects.toThrow('no more')
  await expect(sampleToEnd(failing, ddim(), noise, undefined, { steps: 0 })).rejects.toThrow(SchedulerError)
  expect(device.memory().tensors).toBe(before)
})

test('a thousand steps leave memory and plans where the tenth left them', async () => {
  using noise = start()
  using c = tensor(device, condition, [1, 3])
  const counts: unknown[] = []
  // Trailing timesteps are all different; a step between equal noise levels would be another, shorter sum.
  const scheduler = dpmSolverMultistep({ timestepSpacing: 'trailing' })
  for await (const { index, sample: x } of sample(denoise, scheduler, noise, c, { steps: 1000 })) {
    if (index === 9 || index === 990) counts.push({ ...device.memory(), ...device.counters(), runs: undefined })
    if (index === 999) x.dispose()
  }
  expect(counts[1]).toEqual(counts[0])
})
