import { ConfigError } from '@antipode/core'
import { callable, checkArgument, finite } from '@antipode/core/options'
import type { Condition, Reward } from '@antipode/npo'

/**
 * Several rewards as one, Σ weight·R. Bring them to one unit first, by `normalised` or by weights; a negative weight
 * asks for less. VADER weighs the aesthetic score by ½ and HPS by 7½.
 * @throws {ConfigError} if there are none, or a weight is not finite
 */
export function mixture<C extends Condition>(
  parts: readonly (readonly [weight: number, reward: Reward<C>])[],
): Reward<C> {
  for (const [weight, reward] of parts) {
    checkArgument('mixture', 'a weight', weight, finite)
    checkArgument('mixture', 'a reward', reward, callable)
  }
  const [[weight, reward] = [], ...others] = parts
  if (!reward || weight === undefined) throw new ConfigError('mixture: expected rewards, got none; give one or more')
  return (images, condition) => others.reduce(
    (sum, [by, other]) => sum.add(other(images, condition).mul(by)), reward(images, condition).mul(weight),
  )
}
