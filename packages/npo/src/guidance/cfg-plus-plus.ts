import { ConfigError } from '@antipode/core'
import { between, checkOptions, required } from '@antipode/core/options'
import { extrapolated } from './classifier-free.ts'
import type { Guider } from './guider.ts'

/** Options of {@link cfgPlusPlus}. */
export interface CfgPlusPlusOptions {
  /** λ in [0, 1]: 0 is the negative prediction alone. */
  readonly scale: number
}

/**
 * CFG++: the clean sample is estimated by `e_neg + λ·(e_pos − e_neg)` and noised again by e_neg alone, which keeps
 * samples on the data. A first-order step (DDIM with η = 0, Euler) that does so is the same step by classifier-free
 * guidance with w = λ·σ/(σ − σ'), which is what is given here; the estimates of the clean sample that go with it are
 * those of w.
 * @throws {ConfigError} if the option is outside its range, or a call's noise does not fall
 * Source: Chung et al. 2024, arXiv 2406.08070, algorithm 2.
 */
export function cfgPlusPlus(options: CfgPlusPlusOptions): Guider {
  checkOptions('cfgPlusPlus', options, { scale: required(between(0, 1)) })
  const { scale } = options
  return {
    active: () => true,
    guide(predictions, { step, sigma, nextSigma, state }) {
      // By the ratio, as σ may be infinite.
      const left = nextSigma / sigma
      if (!(left < 1)) {
        const got = `σ ${sigma} and ${nextSigma} at call ${step}`
        throw new ConfigError(
          `cfgPlusPlus: expected noise that falls from call to call, got ${got}; take a solver of one call a step`,
        )
      }
      return { prediction: extrapolated(predictions, scale / (1 - left)), state }
    },
  }
}
