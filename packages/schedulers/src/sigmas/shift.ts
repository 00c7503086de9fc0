import { refuse, show } from '../errors.ts'

/** σ → s·σ/(1 + (s − 1)·σ): moves a flow's levels towards noise for s > 1. Source: SD3, arXiv 2403.03206, equation 23. */
export function shiftSigma(shift: number, sigma: number): number {
  return (shift * sigma) / (1 + (shift - 1) * sigma)
}

/**
 * The shift of a run whose resolution decides it.
 * @param type 'exponential' takes e^mu as the shift, 'linear' mu itself
 * @throws {SchedulerError} without mu, or one that makes no shift above 0
 */
export function dynamicShift(solver: string, type: 'exponential' | 'linear', mu: number | undefined): number {
  const shift = type === 'linear' ? mu : Math.exp(mu ?? Number.NaN)
  if (shift !== undefined && shift > 0 && shift < Infinity) return shift
  return refuse(`${solver}.timesteps`, 'mu with useDynamicShifting', show(mu), 'pass { count, mu: imageMu(tokens) }')
}

/**
 * Stretches levels so that the last of them is `terminal`; the first keeps its distance to pure noise in proportion.
 * Source: Lightricks/LTX-Video, rf.py.
 */
export function stretchToTerminal(sigmas: readonly number[], terminal: number): number[] {
  const scale = (1 - sigmas.at(-1)!) / (1 - terminal)
  // A single level of pure noise has nothing to stretch.
  return scale === 0 ? [...sigmas] : sigmas.map((sigma) => 1 - (1 - sigma) / scale)
}

/** The options of {@link imageMu}; those of a flow-matching solver fit. */
export interface DynamicShiftConfig {
  readonly baseShift: number
  readonly maxShift: number
  readonly baseImageSeqLen: number
  readonly maxImageSeqLen: number
}

/**
 * mu of an image of so many latent tokens: linear between two known sizes (Flux: 0.5 at 256, 1.15 at 4096).
 * @throws {SchedulerError} if tokens is no number from 0, or the sizes are one
 */
export function imageMu(
  tokens: number,
  { baseShift, maxShift, baseImageSeqLen, maxImageSeqLen }: DynamicShiftConfig = {
    baseShift: 0.5,
    maxShift: 1.15,
    baseImageSeqLen: 256,
    maxImageSeqLen: 4096,
  },
): number {
  const slope = (maxShift - baseShift) / (maxImageSeqLen - baseImageSeqLen)
  if (tokens >= 0 && tokens < Infinity && Number.isFinite(slope)) return baseShift + (tokens - baseImageSeqLen) * slope
  return refuse('imageMu', 'a number of tokens, and two sizes that differ', show([tokens, baseImageSeqLen, maxImageSeqLen]), 'count latent tokens')
}
