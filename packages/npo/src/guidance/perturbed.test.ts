import { ConfigError, ShapeError, type Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { apg, classifierFree, guided, type Guider, interval, perturbed, scheduled } from './index.ts'
import { cases, closeTo, fixture, fresh, kinds, leaf, once, place, read } from './testing/oracle.ts'
import { testGuider } from './testing/test-guider.ts'

testGuider('guidance by a third branch, where that is not run,', (scale) => perturbed(classifierFree({ scale }), { scale: 3 }))

test.each(kinds)('guidance away from a perturbed prediction is that of diffusers, in its two forms: %s', (kind) => {
  const { params: { scale, pag_scale: s }, out } = cases[`pag_${kind}`]
  closeTo(out.pred, once(perturbed(classifierFree({ scale }), { scale: s }), kind, fixture.perturbed))
  const alone = (strength: number): Guider => perturbed(classifierFree({ scale: 1 }), { scale: strength })
  closeTo(out.no_cfg_pipeline, once(alone(s), kind, fixture.perturbed))
  // Without guidance by condition its guider counts from 1.
  closeTo(out.no_cfg_guider, once(alone(s - 1), kind, fixture.perturbed))
})

test.each(kinds)('guidance away from skipped layers acts on the calls that diffusers has it act on: %s', (kind) => {
  const { params: { scale, slg_scale: s, start, stop, steps }, out } = cases[`skip_layer_${kind}`]
  const guider = perturbed(classifierFree({ scale }), { scale: s, start, stop })
  const acts = (of: Guider): number[] => out.active.map((_, step) => Number(of.perturbs?.({ ...place, step, steps })))
  expect(acts(guider)).toEqual(out.active)
  closeTo(out.pred_active, once(guider, kind, fixture.perturbed))
  closeTo(out.pred_inactive, once(guider, kind))
  expect(acts(perturbed(guider, { scale: 0 }))).toEqual(out.active)
  expect(acts(perturbed(guider, { scale: 1 }))).toEqual(out.active.map(() => 1))
  expect(acts(interval(guider, { start: 0.5 }))).toEqual(out.active.map(() => 0))
  expect(acts(scheduled((strength) => perturbed(classifierFree({ scale }), { scale: strength }), ({ step }) => step % 2)))
    .toEqual(out.active.map((_, step) => step % 2))
})

test('only the branches that a guider reads are run, and the perturbed one knows what the others gave', () => {
  const ran: string[] = []
  const branch = (name: string, value: number) => (x: Tensor): Tensor => {
    ran.push(name)
    return x.mul(0).add(value)
  }
  const state = { difference: leaf(fixture.uncond) }
  const call = (guider: Guider, at = {}): readonly [string, number] => {
    ran.length = 0
    const denoiser = guided<undefined>({
      positive: branch('positive', 3), negative: branch('negative', 1), unconditional: (c) => c, guider,
      perturbed: (x, _t, _c, { predictions: { positive, negative }, point }) => {
        ran.push('perturbed')
        return positive.sub(negative).add(x.mul(0)).mul(point.step)
      },
    })
    const { prediction, state: next } = denoiser.call(leaf(fixture.cond), leaf([1, 2], [2]), undefined, { ...fresh, step: 1, state, ...at })
    expect(next).toBe(state)
    return [ran.join(' '), read(prediction)[0]!]
  }
  const plain = classifierFree({ scale: 2 })
  expect(call(plain)).toEqual(['negative positive', 5])
  expect(call(perturbed(plain, { scale: 10 }))).toEqual(['negative positive perturbed', 5 + 10 * (3 - 2)])
  // Without a negative prediction the positive one stands for it.
  expect(call(perturbed(classifierFree({ scale: 1 }), { scale: 10 }))).toEqual(['positive perturbed', 3 + 10 * 3])
  expect(call(perturbed(interval(apg({ scale: 2, momentum: 1 }), { start: 0.5 }), { scale: 10, stop: 0.1 }))).toEqual(['positive', 3])
  expect(call(interval(perturbed(plain, { scale: 10 }), { start: 0.5 }))).toEqual(['positive', 3])
})

test('a guider without the branch that it reads, or with one of another shape, is refused', () => {
  const guider = perturbed(classifierFree({ scale: 2 }), { scale: 1 })
  const branches = { positive: (x: Tensor) => x, negative: (x: Tensor) => x.mul(2), unconditional: (c: undefined) => c, guider }
  const [x, t] = [leaf(fixture.cond), leaf([1, 2], [2])]
  expect(() => guided(branches).call(x, t, undefined, fresh)).toThrow('guided: expected a perturbed branch')
  const odd = guided({ ...branches, perturbed: (x) => x.slice(1, 0, 1) })
  expect(() => odd.call(x, t, undefined, fresh)).toThrow(ShapeError)
  expect(() => guided({ ...branches, perturbed: 'pag' as never })).toThrow(ConfigError)
  for (const options of [{ scale: -1 }, { scale: 1, start: 2 }, { scale: 1, from: 0 }]) {
    expect(() => perturbed(guider, options as never)).toThrow(ConfigError)
  }
})
