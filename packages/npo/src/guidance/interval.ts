import { ConfigError } from '@antipode/core'
import { atLeast, between, checkOptions } from '@antipode/core/options'
import type { GuidancePoint, Guider } from './guider.ts'

/** Options of {@link interval}: guidance acts where all that are given allow it. */
export interface IntervalOptions {
  /** Share of the run's calls after which guidance begins, in [0, 1]; 0 by default. */
  readonly start?: number
  /** Share after which it ends, in [0, 1], not below `start`; 1 by default. */
  readonly stop?: number
  /** Guidance acts above this σ, 0 or more. */
  readonly sigmaMin?: number
  /** And up to this one, 0 or more. */
  readonly sigmaMax?: number
}

/**
 * A guider that acts in a part of the run only: elsewhere the positive prediction is the result, and costs one pass.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: Kynkäänniemi et al. 2024, arXiv 2404.07724, for σ; shares are cut to whole calls as in diffusers.
 */
export function interval(guider: Guider, options: IntervalOptions): Guider {
  checkOptions('interval', options, {
    start: between(0, 1), stop: between(0, 1), sigmaMin: atLeast(0), sigmaMax: atLeast(0),
  })
  const { start = 0, stop = 1, sigmaMin = -1, sigmaMax = Infinity } = options
  if (start > stop || sigmaMin > sigmaMax) {
    const got = `${start} to ${stop} and σ ${sigmaMin} to ${sigmaMax}`
    throw new ConfigError(`interval: expected an end that is not before its beginning, got ${got}; swap them`)
  }
  const within = ({ step, steps, sigma }: GuidancePoint): boolean =>
    step >= Math.floor(start * steps) && step < Math.floor(stop * steps) && sigma > sigmaMin && sigma <= sigmaMax
  return {
    active: (at) => within(at) && guider.active(at),
    perturbs: (at) => within(at) && guider.perturbs?.(at) === true,
    guide: (predictions, call) => guider.guide(predictions, call),
  }
}
