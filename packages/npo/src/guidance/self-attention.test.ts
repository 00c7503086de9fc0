import { ConfigError, gaussianBlur, type Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { predictedClean } from '../process/index.ts'
import { blurredWhereAttended, classifierFree, guided, interval, selfAttentionGuidance } from './index.ts'
import { cases, closeTo, fixture, fresh, leaf, place, read } from './testing/oracle.ts'

const { params, out } = cases.sag
const size = [1, 2, 8, 8]
const alphaBar = params.alpha_cumprod
const [alpha, sigma] = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)]
/** Mean over heads, summed over queries. */
const attention = (): Tensor => leaf(out.attn_probs, [2, 16, 16]).mean({ axes: 0 }).sum({ axes: 0 }).reshape([1, 1, 4, 4])

test('self-attention guidance is that of diffusers: the negative branch, blurred where it looks', () => {
  const seen: [Tensor, unknown][] = []
  const x = leaf(out.x0_from_uncond.map((v, i) => alpha * v + sigma * out.eps_uncond[i]!), size)
  const negative = (at: Tensor, _t: Tensor, c: unknown): Tensor => {
    seen.push([at, c])
    return leaf(seen.length === 1 ? out.eps_uncond : out.eps_degraded, size)
  }
  const unconditional = () => 'nothing' as never
  const perturbed = blurredWhereAttended<undefined>({ model: negative, unconditional, attention, predicts: 'epsilon' })
  const guider = selfAttentionGuidance(classifierFree({ scale: params.scale }), { scale: params.sag_scale })
  const denoiser = guided<undefined>({ negative, unconditional, positive: () => leaf(out.eps_cond, size), perturbed, guider })
  const { prediction } = denoiser.call(x, leaf([500], [1]), undefined, { ...fresh, sigma: sigma / alpha })
  expect(seen.map(([, c]) => c)).toEqual(['nothing', 'nothing'])
  // Levels are numbers of f32.
  closeTo(out.degraded_x_t, read(seen[1]![0]), 1e-6)
  closeTo(out.pred, read(prediction))
})

test('what is blurred is the clean sample that the prediction implies, whatever the model predicts, in sizes of any ratio', () => {
  const [x, prediction, map] = [leaf(fixture.cond.slice(0, 40), [1, 2, 4, 5]), leaf(fixture.uncond.slice(0, 40), [1, 2, 4, 5]), leaf([2, 0, 1, 0.5, 0, 3], [1, 1, 2, 3])]
  // ⌊i·2/4⌋ and ⌊j·3/5⌋
  const mask = [0, 0, 1, 1].flatMap((i) => [0, 0, 1, 1, 2].map((j) => Number([2, 0, 1, 0.5, 0, 3][3 * i + j]! > 1)))
  for (const predicts of ['epsilon', 'v_prediction', 'sample', 'flow_prediction'] as const) {
    let given = x
    const perturbed = blurredWhereAttended<undefined>({
      model: (at) => given = at, unconditional: (c) => c, attention: () => map, predicts, sigma: 0.8,
    })
    perturbed(x, leaf([1], [1]), undefined, { predictions: { positive: x, negative: prediction }, point: { ...place, sigma: 0.75 } })
    const levels = predicts === 'flow_prediction' ? [1 / 1.75, 0.75 / 1.75] : [0.8, 0.6]
    const [signal, noise] = levels.map((level) => leaf([level], [1, 1, 1, 1]))
    const clean = predictedClean(prediction, x, { predictionType: predicts, alpha: signal!, sigma: noise! })
    const change = gaussianBlur(clean, { sigma: 0.8, size: 9 }).sub(clean).mul(signal!).mul(leaf(mask, [1, 1, 4, 5]))
    closeTo([...read(x.add(change))], read(given), 1e-6)
    // Where nothing but noise is left, and where none is, numbers stay numbers.
    for (const end of [0, Infinity]) {
      if (predicts === 'sample' && end === 0) continue
      perturbed(x, leaf([1], [1]), undefined, { predictions: { positive: x, negative: prediction }, point: { ...place, sigma: end } })
      expect(read(given).every(Number.isFinite)).toBe(true)
    }
  }
})

test('without a scale, or where the map is flat, nothing changes', () => {
  const guider = classifierFree({ scale: 2 })
  expect(selfAttentionGuidance(guider, { scale: 0 }).perturbs?.(place)).toBe(false)
  const within = selfAttentionGuidance(interval(guider, { start: 0.5 }))
  expect([within.active(place), within.perturbs?.(place)]).toEqual([true, true])
  const predictions = { positive: leaf(fixture.cond), negative: leaf(fixture.uncond) }
  closeTo(fixture.cond, read(within.guide({ ...predictions, perturbed: predictions.negative }, fresh).prediction))
  closeTo(fixture.cond, read(within.guide(predictions, fresh).prediction))
  let given: Tensor | undefined
  const flat = blurredWhereAttended<undefined>({
    model: (x) => given = x, unconditional: (c) => c, attention: () => leaf(Array(4).fill(1), [1, 1, 2, 2]), predicts: 'epsilon',
  })
  flat(predictions.positive, leaf([1, 2], [2]), undefined, { predictions, point: place })
  expect(read(given!)).toEqual(Float64Array.from(fixture.cond))
  expect(() => selfAttentionGuidance(guider, { scale: -1 })).toThrow(ConfigError)
  expect(() => blurredWhereAttended({ predicts: 'x0' } as never)).toThrow(ConfigError)
})
