import { type Tensor, where } from '@antipode/core'
import { between, checkOptions, required } from '@antipode/core/options'
import type { Guider } from './guider.ts'

/** Options of {@link rescale}. */
export interface RescaleOptions {
  /** φ in [0, 1]: 0 leaves what the guider gives, 1 gives it the standard deviation of the positive prediction. */
  readonly phi: number
}

/**
 * A guider whose result is drawn by φ to the standard deviation of the positive prediction, sample by sample, which
 * keeps high scales from overexposure: for guiders that have no such option themselves.
 * @throws {ConfigError} if the option is outside its range
 * Source: Lin et al. 2023, arXiv 2305.08891, eq. 15–16, where φ is 0.7.
 */
export function rescale(guider: Guider, options: RescaleOptions): Guider {
  checkOptions('rescale', options, { phi: required(between(0, 1)) })
  return {
    ...guider,
    guide(predictions, call) {
      const { prediction, state } = guider.guide(predictions, call)
      return { prediction: rescaled(prediction, predictions.positive, options.phi), state }
    },
  }
}

/**
 * A guided prediction drawn by φ to the standard deviation of the positive one, sample by sample over all elements (Lin
 * et al. 2023, arXiv 2305.08891, eq. 15–16). A sample whose guided prediction is the same everywhere has none to draw,
 * and stays as it is.
 */
export function rescaled(guided: Tensor, positive: Tensor, phi: number): Tensor {
  return phi === 0 ? guided : guided.mul(drawn(guided, positive).mul(phi).add(1 - phi).to(guided.dtype))
}

/** What brings each sample to the deviation of another, `[B, 1, …]` f32: 1 where it has none. */
function drawn(sample: Tensor, like: Tensor): Tensor {
  const [own, wanted] = [squaresOf(sample), squaresOf(like)]
  const [flat, wantedFlat] = [own.eq(0), wanted.eq(0)]
  // The root's slope at 0 is infinite, also where its result is not taken: there it is the root of 1.
  const ratio = wanted.add(wantedFlat).sqrt().div(own.add(flat).sqrt())
  return where(flat, 1, where(wantedFlat, 0, ratio))
}

/**
 * Sum of squared distances of each sample's elements from their mean, `[B, 1, …]` f32; in a ratio the n − 1 of
 * deviations cancel.
 */
function squaresOf(sample: Tensor): Tensor {
  const [batch = 1] = sample.shape
  // The squares of a latent of SDXL, 65,536 elements, add up to more than f16 can hold.
  const x = sample.to('f32').reshape([batch, sample.size / batch])
  // From the first element, so that a sample that is the same everywhere has exactly 0, which its mean may round away
  // from.
  const moved = x.sub(x.slice(1, 0, 1))
  const squares = moved.sub(moved.mean({ axes: 1, keepDims: true })).square().sum({ axes: 1, keepDims: true })
  return squares.reshape([batch, ...sample.shape.slice(1).map(() => 1)])
}
