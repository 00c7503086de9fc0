import { callable, checkOptions, required } from '@antipode/core/options'
import type { Condition, Denoiser } from '../denoiser.ts'
import { cfg } from './cfg.ts'
import { type ClassifierFreeOptions, classifierFreeRanges } from './classifier-free.ts'

/** Options of {@link autoguidance}. */
export interface AutoguidanceOptions<C extends Condition> extends ClassifierFreeOptions {
  readonly model: Denoiser<C>
  /** A worse one: smaller, trained less, with an early adapter, or with layers left out. */
  readonly worse: Denoiser<C>
}

/**
 * Autoguidance, `e = e_bad(c) + w·(e(c) − e_bad(c))`: away from a worse model under the *same* condition, which raises
 * quality without less variety. Beside guidance by condition, take the worse model as the `perturbed` branch of {@link
 * guided} with `perturbed(guider, { scale: w − 1 })`.
 * @throws {ConfigError} if an option is unknown, missing or outside its range
 * Source: Karras et al. 2024, arXiv 2406.02507, eq. 5.
 */
export function autoguidance<C extends Condition>(options: AutoguidanceOptions<C>): Denoiser<C> {
  checkOptions('autoguidance', options, {
    model: required(callable), worse: required(callable), ...classifierFreeRanges,
  })
  const { model, worse, ...guidance } = options
  return cfg({ positive: model, negative: worse, unconditional: (condition) => condition, ...guidance })
}
