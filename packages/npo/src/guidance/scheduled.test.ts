import { ConfigError, ShapeError } from '@antipode/core'
import { expect, test } from 'vitest'
import {
  apg, classifierFree, cosineScale, linearScale, perFrame, powerScale, rescale, type ScaleSchedule, scheduled,
} from './index.ts'
import { cases, closeTo, fresh, kinds, leaf, once, place, read, run } from './testing/oracle.ts'
import { testGuider } from './testing/test-guider.ts'

testGuider('guidance by a schedule', (scale) => scheduled((w) => apg({ scale: w, eta: 1 }), () => scale))
testGuider('guidance that is rescaled outside', (scale) => rescale(classifierFree({ scale }), { phi: 0.7 }))

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

test.each(kinds)('rescaling outside a guider is its own rescaling: %s', (kind) => {
  const { params: { scale }, out } = cases[`cfg_rescale_${kind}`]
  for (const [phi, want] of Object.entries(out)) closeTo(want, once(rescale(classifierFree({ scale }), { phi: Number(phi) }), kind))
})

test('frames have scales of their own, as those of Stable Video Diffusion', () => {
  const { params: { min, max, frames, scales }, out } = cases.per_frame_svd
  expect(Array.from({ length: frames }, (_, f) => min + (max - min) * f / (frames - 1)).map((w) => expect.closeTo(w, 9))).toEqual(scales)
  const clip = (numbers: readonly number[]): ReturnType<typeof leaf> => leaf(numbers, [1, frames, 2, 2, 2])
  const guide = (positive: ReturnType<typeof leaf>, negative: ReturnType<typeof leaf>, axis: number): Float64Array =>
    read(perFrame({ scales, axis }).guide({ positive, negative }, fresh).prediction)
  // Scales are numbers of f32.
  closeTo(out.pred, guide(clip(out.cond), clip(out.uncond), 1), 1e-7)
  closeTo(out.pred_npo, guide(clip(out.cond), clip(out.npo_neg), 1), 1e-7)
  // [B,F,C,H,W] or [B,C,F,H,W]
  const turned = clip(out.cond).permute([0, 2, 1, 3, 4])
  const got = perFrame({ scales }).guide({ positive: turned, negative: clip(out.uncond).permute([0, 2, 1, 3, 4]) }, fresh).prediction
  closeTo(out.pred, read(got.permute([0, 2, 1, 3, 4])), 1e-7)
  expect(got.to('f16').dtype).toBe('f16')
  expect(perFrame({ scales: [1, 1] }).active(place)).toBe(false)
  expect(perFrame({ scales: [1, 2] }).active(place)).toBe(true)
  expect(() => guide(clip(out.cond), clip(out.uncond), 2)).toThrow(ShapeError)
})

test('options out of range are refused', () => {
  expect(() => linearScale({ from: 0, to: Infinity })).toThrow(ConfigError)
  expect(() => cosineScale({ from: 0 } as never)).toThrow(ConfigError)
  expect(() => powerScale({ from: 0, to: 1, power: 0 })).toThrow(ConfigError)
  expect(() => perFrame({ scales: [1, -1] })).toThrow(ConfigError)
  expect(() => rescale(classifierFree({ scale: 2 }), { phi: 2 })).toThrow(ConfigError)
  expect(() => scheduled(7 as never, () => 1)).toThrow(ConfigError)
})
