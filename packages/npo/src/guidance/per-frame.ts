import { constant, ShapeError } from '@antipode/core'
import { atLeast, checkOptions, listOf, required, whole } from '@antipode/core/options'
import type { Guider } from './guider.ts'

/** Options of {@link perFrame}. */
export interface PerFrameOptions {
  /** w of each frame, 0 or more, finite. */
  readonly scales: readonly number[]
  /** Axis of the frames, whole, 1 or more; 2 by default, as in clips `[B,C,F,H,W]`. */
  readonly axis?: number
}

/**
 * Classifier-free guidance of clips with a scale for each frame, `e_f = e_neg,f + w_f·(e_pos,f − e_neg,f)`: low at a frame
 * that is given, higher the further from it.
 * @throws {ConfigError} if an option is unknown or outside its range
 * @throws {ShapeError} at a call whose clips have another number of frames
 * Source: Blattmann et al. 2023, arXiv 2311.15127, appendix D.3, where the scales rise evenly from 1 to 3.
 */
export function perFrame(options: PerFrameOptions): Guider {
  checkOptions('perFrame', options, { scales: required(listOf(atLeast(0))), axis: whole(1) })
  const { scales, axis = 2 } = options
  return {
    active: () => scales.some((scale) => scale !== 1),
    guide({ positive, negative }, { state }) {
      const { shape, device, dtype } = positive
      if (shape[axis] !== scales.length) {
        const got = `[${shape.join()}]`
        throw new ShapeError(`perFrame: expected predictions of ${scales.length} frames in axis ${axis}, got ${got}`)
      }
      const own = constant(device, scales, shape.map((size, i) => (i === axis ? size : 1)), { dtype })
      return { prediction: negative.add(positive.sub(negative).mul(own)), state }
    },
  }
}
