import { ConfigError, type Tensor } from '@antipode/core'
import { largestGap } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { apg, type ApgOptions, cfgPlusPlus, classifierFree, guided, interval } from './index.ts'
import { cases, closeTo, fixture, fresh, kinds, leaf, once, place, read, run } from './testing/oracle.ts'
import { testGuider } from './testing/test-guider.ts'

testGuider('classifier-free guidance', (scale) => classifierFree({ scale }))
testGuider('rescaled classifier-free guidance', (scale) => classifierFree({ scale, rescale: 0.7 }))
testGuider('projected guidance', (scale) => apg({ scale, threshold: 2 }), { oneIsPositive: false })
testGuider('projected guidance that keeps all', (scale) => apg({ scale, eta: 1 }))
testGuider('CFG++', (scale) => cfgPlusPlus({ scale }), { oneIsPositive: false, scales: [0, 0.3, 1] })

test.each(kinds)('classifier-free guidance is that of diffusers, rescaled or not: %s', (kind) => {
  for (const [scale, want] of Object.entries(cases[`cfg_${kind}`].out)) {
    closeTo(want, once(classifierFree({ scale: Number(scale) }), kind))
  }
  // The form of the first paper, e_pos + s·(e_pos − e_neg), counts from 0.
  const original = cases[`cfg_original_${kind}`]
  closeTo(original.out.pred, once(classifierFree({ scale: original.params.scale + 1 }), kind))
  const { params: { scale }, out } = cases[`cfg_rescale_${kind}`]
  for (const [rescale, want] of Object.entries(out)) {
    closeTo(want, once(classifierFree({ scale, rescale: Number(rescale) }), kind))
  }
})

const projected = ['apg_0', 'apg_1', 'apg_2', 'apg_3'] as const
test.each(projected)('projected guidance is that of diffusers over three calls: %s', (name) => {
  for (const kind of kinds) {
    const { params, out } = cases[`${name}_${kind}`]
    const { scale, momentum, threshold, eta, phi } = { phi: undefined, ...params }
    const options: ApgOptions = {
      scale, eta, ...(momentum === null ? {} : { momentum }), ...(threshold === 0 ? {} : { threshold }),
      ...(phi === undefined ? {} : { rescale: phi }),
    }
    closeTo(out.pred_steps, run(apg(options), kind).flatMap((x) => [...x]))
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

test.each(kinds)('CFG++ is a step of DDIM that noises again by the negative branch: %s', (kind) => {
  const { params, out } = cases[`cfgpp_ddim_${kind}`]
  const guider = cfgPlusPlus({ scale: params.lam })
  const sigmaOf = (a: number): number => Math.sqrt((1 - a) / a)
  const calls = params.alphas_cumprod.map((a, k) =>
    ({ sigma: sigmaOf(a), nextSigma: sigmaOf(params.alphas_cumprod_prev[k]!) }))
  const guidedSteps = run(guider, kind, calls)
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
