import { ConfigError, ShapeError } from '@antipode/core'
import { expect, test } from 'vitest'
import { perFrame } from './index.ts'
import { cases, closeTo, fresh, leaf, place, read } from './testing/oracle.ts'

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

test('scales below 0 are refused', () => { expect(() => perFrame({ scales: [1, -1] })).toThrow(ConfigError) })
