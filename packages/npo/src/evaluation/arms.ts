import { checkOptions, finite, required } from '@antipode/core/options'
import { ARMS } from './comparisons.ts'

/** An arm: the weights of the adapters `eta`, `delta` and `random` on either branch of guidance. */
export interface Arm {
  readonly id: string
  readonly positive: Readonly<Record<string, number>>
  readonly negative: Readonly<Record<string, number>>
  /** A control is there to falsify the claim. */
  readonly role: 'arm' | 'control'
  readonly words: readonly [positive: string, negative: string]
}

/** Options of {@link armsOf}, finite numbers. */
export interface ArmsOptions {
  /** θ⁻ = θ + α·η + β·δ of the merged arm. */
  readonly alpha: number
  readonly beta: number
  /** The weight at which −η is as long as δ. */
  readonly reversal: number
}

/** All arms of the evaluation protocol and their controls, base first. @throws {ConfigError} if an option is unknown or not finite */
export function armsOf(options: ArmsOptions): Arm[] {
  checkOptions('armsOf', options, { alpha: required(finite), beta: required(finite), reversal: required(finite) })
  const { alpha, beta, reversal } = options
  const base = {}
  const dpo = { eta: 1 }
  return [
    { id: ARMS.base, positive: base, negative: base, role: 'arm', words: ['θ', 'θ'] },
    { id: ARMS.npo, positive: base, negative: { delta: 1 }, role: 'arm', words: ['θ', 'θ + δ'] },
    { id: ARMS.dpo, positive: dpo, negative: dpo, role: 'arm', words: ['θ + η', 'θ + η'] },
    { id: ARMS.merged, positive: dpo, negative: { eta: alpha, delta: beta }, role: 'arm', words: ['θ + η', `θ + ${alpha}·η + ${beta}·δ`] },
    { id: ARMS.unmerged, positive: dpo, negative: { delta: 1 }, role: 'arm', words: ['θ + η', 'θ + δ'] },
    { id: ARMS.extrapolation, positive: base, negative: { eta: -reversal }, role: 'control', words: ['θ', 'θ − η, as long as δ'] },
    { id: ARMS.random, positive: base, negative: { random: 1 }, role: 'control', words: ['θ', 'θ + a random offset as long as δ'] },
  ]
}
