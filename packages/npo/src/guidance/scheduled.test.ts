import { ConfigError } from '@antipode/core'
import { expect, test } from 'vitest'
import {
  apg, classifierFree, cosineScale, linearScale, powerScale, type ScaleSchedule, scheduled,
} from './index.ts'
import { cases, closeTo, kinds, place, run } from './testing/oracle.ts'
import { testGuider } from './testing/test-guider.ts'

testGuider('guidance by a schedule', (scale) => scheduled((w) => apg({ scale: w, eta: 1 }), () => scale))

test('schedules are those of the field', () => {
  const { params: { w, w0, steps }, out } = cases.dynamic_schedules
  const scales = (schedule: ScaleSchedule): number[] => Array.from({ length: steps }, (_, step) => schedule({ ...place, step, steps }))
  const linear = linearScale({ from: 0, to: 2 * w })
  closeTo(out.constant, scales(() => w))
  closeTo(out.linear_interp, scales(linearScale({ from: w0, to: w })))
  closeTo(out.cosine_interp, scales(cosineScale({ from: w0, to: w })))
  closeTo(out.linear_paper, scales(linear))
  closeTo(out.cosine_paper, scales(cosineScale({ from: 0, to: 2 * w })))
  closeTo(out.clamp_linear, scales((at) => Math.max(1, linear(at))))
  closeTo(out.inv_linear, scales(linearScale({ from: 2 * w, to: 0 })))
  closeTo(scales(linear), scales(powerScale({ from: 0, to: 2 * w, power: 1 })))
  closeTo([1, 1.25, 2], [0, 1, 2].map((step) => powerScale({ from: 1, to: 2, power: 2 })({ ...place, step, steps: 3 })))
  expect(linear({ ...place, steps: 1 })).toBe(0)
})

test.each(kinds)('a scheduled guider is at each call that of the scale, with its memory: %s', (kind) => {
  const { params: { scale, momentum, threshold, eta }, out } = cases[`apg_1_${kind}`]
  const seen: number[] = []
  const guider = scheduled((w) => apg({ scale: w, momentum, threshold, eta }), ({ step }) => {
    seen.push(step)
    return scale
  })
  closeTo(out.pred_steps, run(guider, kind).flatMap((x) => [...x]))
  expect(seen).toEqual([0, 1, 2])
  expect(scheduled((w) => classifierFree({ scale: w }), ({ step }) => step).active({ ...place, step: 1 })).toBe(false)
  expect(() => scheduled((w) => classifierFree({ scale: w }), () => -1).active(place)).toThrow(ConfigError)
})

test('options out of range are refused', () => {
  expect(() => linearScale({ from: 0, to: Infinity })).toThrow(ConfigError)
  expect(() => cosineScale({ from: 0 } as never)).toThrow(ConfigError)
  expect(() => powerScale({ from: 0, to: 1, power: 0 })).toThrow(ConfigError)
  expect(() => scheduled(7 as never, () => 1)).toThrow(ConfigError)
})
