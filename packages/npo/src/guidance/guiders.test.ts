import { ConfigError, type Tensor, tensor } from '@antipode/core'
import { FakeHost, interpret, largestGap } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import {
  apg, type ApgOptions, cfgPlusPlus, classifierFree, guided, type GuidanceCall, type GuidancePoint, type Guider,
  interval,
} from './index.ts'
import golden from './testing/guiders.golden.json' with { type: 'json' }

const host = new FakeHost()
const values = new Map<Tensor, readonly number[]>()
const leaf = (numbers: readonly number[], shape: readonly number[] = [2, 2, 4, 4]): Tensor => {
  const t = tensor(host, numbers, shape)
  values.set(t, numbers)
  return t
}
const read = (t: Tensor): Float64Array => interpret([t], values)[0] ?? new Float64Array()
const place = { step: 0, steps: 10, sigma: 1, nextSigma: 0.5 }
const fresh = { ...place, state: {} }
const { fixture, cases } = golden
const negatives = { base: fixture.uncond, npo: fixture.npo_neg }
const stepNegatives = { base: fixture.steps_uncond, npo: fixture.steps_npo_neg }
const closeTo = (want: readonly number[], got: ArrayLike<number>, bound = 1e-9): void => {
  const largest = Math.max(1, ...want.map(Math.abs))
  expect(largestGap(Float64Array.from(want), got) / largest).toBeLessThan(bound)
}

/** What a guider makes of three calls, one after the other. */
function run(
  guider: Guider, negative: readonly number[], calls: readonly Partial<GuidancePoint>[] = [{}, {}, {}],
): Float64Array[] {
  let state: GuidanceCall['state'] = {}
  return calls.map((at, k) => {
    const of = (all: readonly number[]): Tensor => leaf(all.slice(64 * k, 64 * k + 64))
    const predictions = { positive: of(fixture.steps_cond), negative: of(negative) }
    const next = guider.guide(predictions, { ...place, step: k, ...at, state })
    state = next.state
    return read(next.prediction)
  })
}

test.each(['base', 'npo'] as const)('classifier-free guidance is that of diffusers, rescaled or not: %s', (kind) => {
  const predictions = { positive: leaf(fixture.cond), negative: leaf(negatives[kind]) }
  for (const [scale, want] of Object.entries(cases[`cfg_${kind}`].out)) {
    closeTo(want, read(classifierFree({ scale: Number(scale) }).guide(predictions, fresh).prediction))
  }
  const { params: { scale }, out } = cases[`cfg_rescale_${kind}`]
  for (const [rescale, want] of Object.entries(out)) {
    closeTo(want, read(classifierFree({ scale, rescale: Number(rescale) }).guide(predictions, fresh).prediction))
  }
})

const projected = ['apg_0', 'apg_1', 'apg_2', 'apg_3'] as const
test.each(projected)('projected guidance is that of diffusers over three calls: %s', (name) => {
  for (const kind of ['base', 'npo'] as const) {
    const { params, out } = cases[`${name}_${kind}`]
    const { scale, momentum, threshold, eta, phi } = { phi: undefined, ...params }
    const options: ApgOptions = {
      scale, eta, ...(momentum === null ? {} : { momentum }), ...(threshold === 0 ? {} : { threshold }),
      ...(phi === undefined ? {} : { rescale: phi }),
    }
    closeTo(out.pred_steps, run(apg(options), stepNegatives[kind]).flatMap((x) => [...x]))
  }
})

test('projected guidance without momentum keeps nothing, and its momentum is the state alone', () => {
  const predictions = { positive: leaf(fixture.cond), negative: leaf(fixture.uncond) }
  const plain = apg({ scale: 7.5 }).guide(predictions, fresh)
  expect(plain.state).toEqual({})
  const guider = apg({ scale: 7.5, momentum: -0.5 })
  const first = guider.guide(predictions, fresh)
  expect(Object.keys(first.state)).toEqual(['difference'])
  const after = { ...place, state: first.state }
  const [again, other] = [guider.guide(predictions, after), guider.guide(predictions, fresh)]
  expect(read(other.prediction)).toEqual(read(first.prediction))
  expect(largestGap(read(again.prediction), read(first.prediction))).toBeGreaterThan(0.1)
  expect(read(guider.guide(predictions, after).prediction)).toEqual(read(again.prediction))
})

test.each(['base', 'npo'] as const)('CFG++ is a step of DDIM that noises again by the negative branch: %s', (kind) => {
  const { params, out } = cases[`cfgpp_ddim_${kind}`]
  const guider = cfgPlusPlus({ scale: params.lam })
  const sigmaOf = (a: number): number => Math.sqrt((1 - a) / a)
  const calls = params.alphas_cumprod.map((a, k) =>
    ({ sigma: sigmaOf(a), nextSigma: sigmaOf(params.alphas_cumprod_prev[k]!) }))
  const guidedSteps = run(guider, stepNegatives[kind], calls)
  let x: readonly number[] = out.x_T
  params.alphas_cumprod.forEach((a, k) => {
    const next = params.alphas_cumprod_prev[k]!
    x = x.map((v, i) => {
      const e = guidedSteps[k]![i]!
      return Math.sqrt(next) * (v - Math.sqrt(1 - a) * e) / Math.sqrt(a) + Math.sqrt(1 - next) * e
    })
    closeTo(out.x_steps.slice(64 * k, 64 * k + 64), x)
  })
  const predictions = { positive: leaf(fixture.cond), negative: leaf(fixture.uncond) }
  expect(() => guider.guide(predictions, { ...fresh, nextSigma: 1 })).toThrow(/noise that falls/)
})

test('an interval acts on the calls that diffusers has it act on, or between two levels of noise', () => {
  const within = interval.bind(undefined, classifierFree({ scale: 2 }))
  const { by_step_fraction: shares, by_sigma: levels } = cases.guidance_interval.out
  for (const { start, stop, steps, active } of shares) {
    const guider = within({ start, stop })
    expect(active.map((_, step) => Number(guider.active({ ...place, step, steps })))).toEqual(active)
  }
  const guider = within({ sigmaMin: levels.lo, sigmaMax: levels.hi })
  expect(levels.sigmas.map((sigma) => Number(guider.active({ ...place, sigma })))).toEqual(levels.active)
  expect(within({}).active({ ...place, sigma: Infinity })).toBe(true)
  expect(interval(classifierFree({ scale: 1 }), {}).active(place)).toBe(false)
  for (const options of [{ start: 0.5, stop: 0.2 }, { sigmaMin: 2, sigmaMax: 1 }, { start: -1 }, { from: 0 }]) {
    expect(() => within(options as never)).toThrow(ConfigError)
  }
})

test('where a guider does not act the negative branch is not run, and the state stays', () => {
  const refuse = (): never => { throw new ConfigError('the negative branch ran') }
  const positive = (x: Tensor): Tensor => x.mul(2)
  const guider = interval(apg({ scale: 3, momentum: 0.5 }), { start: 0.5 })
  const denoiser = guided<undefined>({ positive, negative: refuse, unconditional: refuse, guider })
  const [x, t] = [leaf(fixture.cond), leaf([1, 2], [2])]
  const state = { difference: x }
  const made = denoiser.call(x, t, undefined, { ...place, state })
  expect(made.state).toBe(state)
  expect(read(made.prediction)).toEqual(Float64Array.from(fixture.cond, (v) => 2 * v))
  expect(() => denoiser.call(x, t, undefined, { ...place, step: 5, state })).toThrow('the negative branch ran')
})

test('branches that are one denoiser are one pass of twice the batch', () => {
  let passes = 0
  const model = (x: Tensor, t: Tensor, c: Tensor): Tensor => {
    passes++
    return x.mul(t.unsqueeze(1)).add(c)
  }
  const other = (x: Tensor, t: Tensor, c: Tensor): Tensor => model(x, t, c)
  const [x, t, c] = [leaf([1, 2, 3, 4], [2, 2]), leaf([2, 3], [2]), leaf([10, 20, 30, 40], [2, 2])]
  const guider = classifierFree({ scale: 3 })
  const predict = (negative: typeof model): Float64Array => {
    const denoiser = guided<Tensor>({ positive: model, negative, unconditional: (all) => all.mul(0.5), guider })
    return read(denoiser.call(x, t, c, fresh).prediction)
  }
  const joined = predict(model)
  expect(passes).toBe(1)
  expect(predict(other)).toEqual(joined)
  expect(passes).toBe(3)
})

test('options out of range are refused', () => {
  const wrong = [{ momentum: Infinity }, { threshold: 0 }, { eta: '1' }, { rescale: 2 }, { scale: -1 }, { scale: null }]
  for (const options of wrong) {
    expect(() => apg({ scale: 2, ...options } as never), JSON.stringify(options)).toThrow(ConfigError)
  }
  expect(() => cfgPlusPlus({ scale: 1.5 })).toThrow(ConfigError)
  expect(() => classifierFree({ scale: 2, w: 1 } as never)).toThrow(ConfigError)
  const lacking = { positive: (x: Tensor) => x, guider: classifierFree({ scale: 2 }) }
  expect(() => guided(lacking as never)).toThrow(/expected negative to be a function/)
})
