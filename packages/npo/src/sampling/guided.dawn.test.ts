import { Device, type Tensor, tensor } from '@antipode/core'
import { philoxNormal } from '@antipode/core/random'
import {
  currentTimestep, ddpm, dpmSolverMultistep, float32Linear, heun, isDone, type Scheduler, torchCpu,
} from '@antipode/schedulers'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  apg, cfg, cfgPlusPlus, classifierFree, cosineScale, guided, type GuidedDenoiser, type Guider, interval, perturbed, scheduled,
} from '../guidance/index.ts'
import { gap, take } from '../testing/toy.ts'
import { keepState, type KeptState, sample, type SampleOptions, sampleToEnd } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const shape = [2, 3]
const start = (): Tensor => tensor(device, philoxNormal(6, { seed: 5 }), shape)
const positive = (x: Tensor, t: Tensor): Tensor => x.div(x.square().add(1)).add(t.div(2000).unsqueeze(1))
const negative = (x: Tensor): Tensor => x.div(x.square().add(2)).sub(0.1)
const by = (guider: Guider): GuidedDenoiser<undefined> =>
  guided<undefined>({ positive, negative, unconditional: (c) => c, guider })

test('projected guidance with momentum, within an interval, is that of a plain loop over arrays', async () => {
  const [scheduler, steps, scale, momentum, threshold] = [dpmSolverMultistep(), 8, 5, -0.5, 0.4]
  let state = scheduler.begin<Float32Array>(steps)
  let x: Float32Array = philoxNormal(6, { seed: 5 }).map((v) => v * scheduler.initNoiseSigma(state.plan))
  let before: number[] | undefined
  while (!isDone(state)) {
    const t = currentTimestep(state)
    const towards = Array.from(x, (v) => v / (v * v + 1) + t / 2000)
    let prediction = towards
    if (state.step >= 2 && state.step < 6) {
      const away = Array.from(x, (v) => v / (v * v + 2) - 0.1)
      const difference: number[] = towards.map((v, i) => v - away[i]! + (before ? momentum * before[i]! : 0))
      before = difference
      prediction = [0, 1].flatMap((b) => {
        const row = (all: readonly number[]): number[] => all.slice(3 * b, 3 * b + 3)
        const [e, d, n] = [row(towards), row(difference), row(away)]
        const length = Math.hypot(...d)
        const short = d.map((v) => v * Math.min(1, threshold / length))
        const share = short.reduce((sum, v, i) => sum + v * e[i]!, 0) / e.reduce((sum, v) => sum + v * v, 0)
        return n.map((v, i) => v + scale * (short[i]! - share * e[i]!))
      })
    }
    const next = scheduler.step<Float32Array>(float32Linear, state, Float32Array.from(prediction), x)
    state = next.state
    x = next.sample
  }
  using noise = start()
  const denoise = by(interval(apg({ scale, momentum, threshold }), { start: 0.25, stop: 0.75 }))
  const got = await take(await sampleToEnd(denoise, scheduler, noise, undefined, { steps }))
  expect(gap(got, x) / Math.max(1, ...Array.from(x, Math.abs))).toBeLessThan(1e-5)
  const plain = await take(await sampleToEnd(positive, scheduler, noise, undefined, { steps }))
  expect(gap(got, plain)).toBeGreaterThan(0.01)
})

test('a scale of each call, a memory and a third branch are planned once, as only numbers change', async () => {
  using noise = start()
  const guider = perturbed(
    scheduled((scale) => apg({ scale, momentum: -0.5, threshold: 0.4 }), cosineScale({ from: 1.5, to: 9 })), { scale: 2, stop: 0.9 },
  )
  const denoise = guided<undefined>({ positive, negative, perturbed: (x) => x.mul(0.3), unconditional: (c) => c, guider })
  const plans: number[] = []
  for await (const { index, steps, sample: x } of sample(denoise, dpmSolverMultistep(), noise, undefined, { steps: 12 })) {
    plans.push(device.memory().plans)
    if (index === steps - 1) x.dispose()
  }
  // The solver's first two steps are their own, and so is the last, which is not perturbed.
  expect(new Set(plans.slice(2, 10)).size).toBe(1)
})

test('classifier-free guidance is one denoiser, made by cfg or by a guider', async () => {
  using noise = start()
  const run = (denoise: Parameters<typeof sampleToEnd<undefined>>[0]): Promise<Float32Array> =>
    sampleToEnd(denoise, dpmSolverMultistep(), noise, undefined, { steps: 4 }).then(take)
  const plain = cfg<undefined>({ positive, negative, unconditional: (c) => c, scale: 3, rescale: 0.5 })
  expect(await run(by(classifierFree({ scale: 3, rescale: 0.5 })))).toEqual(await run(plain))
})

const stream = torchCpu(3)
test.each<[string, Scheduler, Partial<SampleOptions>]>([
  ['a multistep solver', dpmSolverMultistep(), {}],
  ['a solver that adds noise of a stream', ddpm(), { stream }],
  ['a solver of two calls a step', heun(), {}],
])('a run that stops goes on from its state to the same bits, and may branch: %s', async (_, scheduler, options) => {
  using noise = start()
  const denoise = by(apg({ scale: 4, momentum: -0.5, threshold: 0.5 }))
  const all: SampleOptions = { steps: 6, ...options }
  const calls = scheduler.timesteps(6).timesteps.length
  const whole = await take(await sampleToEnd(denoise, scheduler, noise, undefined, all))
  let kept: KeptState | undefined
  for await (const { index, state } of sample(denoise, scheduler, noise, undefined, all)) {
    if (index !== 2) continue
    // While the run stands still, its state serves as it is.
    expect(await take(await sampleToEnd(denoise, scheduler, noise, undefined, { ...all, from: state }))).toEqual(whole)
    kept = await keepState(state)
    break
  }
  using state = kept as KeptState
  const seen: number[] = []
  for await (const step of sample(denoise, scheduler, noise, undefined, { ...all, from: state })) {
    seen.push(step.index)
    if (step.index === calls - 1) expect(await take(step.sample)).toEqual(whole)
  }
  expect(seen).toEqual(Array.from({ length: calls - 3 }, (_, i) => i + 3))
  // Once more, by another guider: the state is as it was.
  const plain = by(classifierFree({ scale: 1 }))
  const other = await take(await sampleToEnd(plain, scheduler, noise, undefined, { ...all, from: state }))
  expect(other).not.toEqual(whole)
  expect(await take(await sampleToEnd(denoise, scheduler, noise, undefined, { ...all, from: state }))).toEqual(whole)
})

test('a state of other steps, or beside what it decides, is refused', async () => {
  using noise = start()
  const scheduler = dpmSolverMultistep()
  for await (const { state, sample: last, index } of sample(positive, scheduler, noise, undefined, { steps: 3 })) {
    const go = (options: Partial<SampleOptions>): Promise<Tensor> =>
      sampleToEnd(positive, scheduler, noise, undefined, { steps: 3, from: state, ...options })
    if (index === 2) {
      await expect(go({})).rejects.toThrow(/expected a run that is not over/)
      last.dispose()
      continue
    }
    await expect(go({ steps: 4 })).rejects.toThrow(/expected the steps of the run that goes on, 3 calls/)
    await expect(go({ startAt: 1 })).rejects.toThrow(/got startAt as well/)
    await expect(go({ image: noise })).rejects.toThrow(/got image as well/)
  }
})

test('guiders are told the noise of their call and of the next, which CFG++ needs to fall', async () => {
  using noise = start()
  const scheduler = dpmSolverMultistep()
  const plan = scheduler.timesteps(4)
  const seen: [number, number, number][] = []
  const spy = by({
    active({ step, sigma, nextSigma }) {
      seen.push([step, sigma, nextSigma])
      return false
    },
    guide: ({ positive: prediction }, { state }) => ({ prediction, state }),
  })
  const before = await sampleToEnd(spy, scheduler, noise, undefined, { steps: plan.timesteps.length })
  before.dispose()
  expect(seen.map(([step]) => step)).toEqual([0, 1, 2, 3])
  expect(seen.map(([, , next]) => next)).toEqual([...seen.slice(1).map(([, sigma]) => sigma), 0])
  expect(seen.every(([, sigma, next]) => sigma > next)).toBe(true)
  const twice = sampleToEnd(by(cfgPlusPlus({ scale: 0.5 })), heun(), noise, undefined, { steps: 3 })
  await expect(twice).rejects.toThrow(/noise that falls/)
})
