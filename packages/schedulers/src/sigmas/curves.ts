import { refuseConfig } from '../errors.ts'
import { flag, type Fields } from '../config/index.ts'
import { betaQuantile, linspace } from '../numeric/index.ts'

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
export function sigmaFields(): Fields<SigmaConfig> {
  return {
    useKarrasSigmas: flag(false),
    useExponentialSigmas: flag(false),
    useBetaSigmas: flag(false),
  }
}

/** Whether a curve is chosen, so that the timesteps follow from it and the caller cannot choose them. */
export function hasCurve(config: SigmaConfig): boolean {
  return config.useKarrasSigmas || config.useExponentialSigmas || config.useBetaSigmas
}

/**
 * Checks that at most one curve is chosen.
 * @param more switches of the solver's own that exclude the curves too
 * @throws {ConfigError} naming those that are on
 */
export function checkCurves(solver: string, config: SigmaConfig, more: Readonly<Record<string, boolean>> = {}): void {
  const { useKarrasSigmas, useExponentialSigmas, useBetaSigmas } = config
  const switches: Record<string, boolean> = { useKarrasSigmas, useExponentialSigmas, useBetaSigmas, ...more }
  const on = Object.keys(switches).filter((name) => switches[name])
  if (on.length > 1) refuseConfig(solver, `at most one of ${Object.keys(switches).join(', ')}`, on.join(' and '), 'leave one')
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
 * @param sigmas table, [T], rising but for its end
 */
export function timestepFinder(sigmas: Float32Array): (sigma: number) => number {
  const logs = sigmas.map(Math.log)
  return (sigma) => {
    const target = Math.log(Math.max(sigma, 1e-10))
    // The last level below, and its neighbour above: a table whose end was set for a terminal SNR of 0 may fall there.
    const low = Math.min(Math.max(logs.findLastIndex((value) => value <= target), 0), logs.length - 2)
    const high = logs[low + 1]
    if (high === undefined || low < 0) return 0
    const weight = Math.min(Math.max((logs[low]! - target) / Math.fround(logs[low]! - high), 0), 1)
    return (1 - weight) * low + weight * (low + 1)
  }
}
