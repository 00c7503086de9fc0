import { ConfigError } from '@antipode/core'
import { largestGap } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { apg, type ApgOptions } from './index.ts'
import { cases, closeTo, fixture, fresh, kinds, leaf, place, read, run } from './testing/oracle.ts'
import { testGuider } from './testing/test-guider.ts'

testGuider('projected guidance', (scale) => apg({ scale, threshold: 2 }), { oneIsPositive: false })
testGuider('projected guidance that keeps all', (scale) => apg({ scale, eta: 1 }))

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

test('options out of range are refused', () => {
  const wrong = [{ momentum: Infinity }, { threshold: 0 }, { eta: '1' }, { rescale: 2 }, { scale: -1 }, { scale: null }]
  for (const options of wrong) {
    expect(() => apg({ scale: 2, ...options } as never), JSON.stringify(options)).toThrow(ConfigError)
  }
})
