import { ConfigError } from './errors.ts'
import { flag, type Fields } from './fields.ts'
import { betaQuantile } from './beta-quantile.ts'
import { linspace } from './numeric.ts'

/** Which curve the noise levels follow; none chosen means those of the spaced timesteps. */
export interface SigmaConfig {
  /** Evenly spaced in σ^(1/7): Karras et al., arXiv 2206.00364, equation 5. */
  readonly useKarrasSigmas: boolean
  /** Evenly spaced in ln σ. */
  readonly useExponentialSigmas: boolean
  /** Quantiles of Beta(0.6, 0.6): arXiv 2407.12173. */
  readonly useBetaSigmas: boolean
}

/** The options of noise-level curves. */
export const sigmaFields: Fields<SigmaConfig> = {
  useKarrasSigmas: flag('use_karras_sigmas', false),
  useExponentialSigmas: flag('use_exponential_sigmas', false),
  useBetaSigmas: flag('use_beta_sigmas', false),
}

/** Throws if more than one of the named switches is on. */
export function checkAtMostOne(solver: string, switches: Record<string, boolean>): void {
  const on = Object.keys(switches).filter((name) => switches[name])
  if (on.length <= 1) return
  throw new ConfigError(
    `${solver}: expected at most one of ${Object.keys(switches).join(', ')}, got ${on.join(' and ')}; leave one`,
  )
}

/** Falling noise levels from `high` to `low`, [count], on the chosen curve; null where none is chosen. */
export function curvedSigmas(config: SigmaConfig, high: number, low: number, count: number): number[] | null {
  if (config.useKarrasSigmas) {
    const [first, last] = [high ** (1 / 7), low ** (1 / 7)]
    return linspace(0, 1, count).map((ramp) => (first + ramp * (last - first)) ** 7)
  }
  if (config.useExponentialSigmas) return linspace(Math.log(high), Math.log(low), count).map(Math.exp)
  if (config.useBetaSigmas) return linspace(0, 1, count).map((ramp) => low + betaQuantile(1 - ramp) * (high - low))
  return null
}

/**
 * Finds the (fractional) timestep of a noise level by interpolation in ln σ, clipped to the table.
 * @param sigmas rising table, [T]
 */
export function timestepFinder(sigmas: Float32Array): (sigma: number) => number {
  const logs = sigmas.map(Math.log)
  return (sigma) => {
    const target = Math.log(Math.max(sigma, 1e-10))
    const above = logs.findIndex((value) => value > target)
    const low = Math.min(Math.max((above < 0 ? logs.length : above) - 1, 0), Math.max(logs.length - 2, 0))
    const high = Math.min(low + 1, logs.length - 1)
    const weight = (logs[low]! - target) / Math.fround(logs[low]! - logs[high]!)
    const clipped = Math.min(Math.max(weight, 0), 1)
    return high === low ? low : (1 - clipped) * low + clipped * high
  }
}
