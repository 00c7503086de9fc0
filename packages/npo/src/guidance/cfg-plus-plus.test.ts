import { ConfigError } from '@antipode/core'
import { expect, test } from 'vitest'
import { cfgPlusPlus } from './index.ts'
import { cases, closeTo, fixture, fresh, kinds, leaf, run } from './testing/oracle.ts'
import { testGuider } from './testing/test-guider.ts'

testGuider('CFG++', (scale) => cfgPlusPlus({ scale }), { oneIsPositive: false, scales: [0, 0.3, 1] })

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

test('a scale above 1 is refused', () => { expect(() => cfgPlusPlus({ scale: 1.5 })).toThrow(ConfigError) })
