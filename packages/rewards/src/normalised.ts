import { callable, checkArgument, checkOptions, finite, positive, required } from '@antipode/core/options'
import type { Condition, Reward } from '@antipode/npo'

/** Options of {@link normalised}: of the reward on a reference set, such as samples of the base model. */
export interface NormalisedOptions {
  /** Its mean there, any finite number. */
  readonly mean: number
  /** Its standard deviation there, in the same unit, above 0. */
  readonly deviation: number
}

/**
 * A reward as a z-score, (R − mean)/deviation: how many standard deviations a picture is above those of the reference
 * set. Rewards of any unit can be mixed so. `average` and `standardDeviation` of `@antipode/npo/evaluation` give both.
 * @throws {ConfigError} if an option is outside its range
 */
export function normalised<C extends Condition>(reward: Reward<C>, options: NormalisedOptions): Reward<C> {
  checkArgument('normalised', 'a reward', reward, callable)
  checkOptions('normalised', options, { mean: required(finite), deviation: required(positive) })
  const { mean, deviation } = options
  return (images, condition) => reward(images, condition).sub(mean).div(deviation)
}
