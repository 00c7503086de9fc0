import { refuse, show } from '../errors.ts'
import type { Steps, StepsPart, StepsRequest } from './contract.ts'

/** A checked request, as solvers plan by it: the one of the three that was given, and the rest. */
export type PlanRequest = { readonly mu: number | undefined; readonly strength: number } & (
  | { readonly by: 'count'; readonly count: number }
  | { readonly by: 'timesteps'; readonly timesteps: readonly number[] }
  | { readonly by: 'sigmas'; readonly sigmas: readonly number[] }
)

/**
 * Checks a request for steps against what the solver takes.
 * @param most largest count
 * @throws {SchedulerError} naming the part that is wrong
 */
export function checkedRequest(
  solver: string,
  steps: Steps,
  accepts: readonly StepsPart[],
  most: number,
): PlanRequest {
  const request: StepsRequest = typeof steps === 'number' ? { count: steps } : steps
  const { count, timesteps, sigmas, mu, strength = 1 } = request
  const fail = (expected: string, got: unknown, advice: string): never =>
    refuse(`${solver}.timesteps`, expected, show(got), advice)

  const parts = ['count', ...accepts, 'strength']
  const given = Object.entries(request).flatMap(([part, value]) => (value === undefined ? [] : [part]))
  const strange = given.find((part) => !parts.includes(part))
  if (strange !== undefined) fail(`steps by ${parts.join(', ')}`, strange, 'this configuration decides the rest itself')
  const chosen = given.filter((part) => part !== 'mu' && part !== 'strength')
  if (chosen.length !== 1) fail('one of count, timesteps, sigmas', chosen.join(), 'pass exactly one')
  if (!(strength >= 0 && strength <= 1)) fail('strength from 0 to 1', strength, '1 runs every step')

  if (timesteps !== undefined) return { by: 'timesteps', timesteps, mu, strength }
  if (sigmas !== undefined) {
    const falls = sigmas.every((sigma, i) => sigma > 0 && sigma < (sigmas[i - 1] ?? Infinity))
    if (!falls || sigmas.length === 0) fail('falling sigmas above 0', sigmas, 'sort them and leave the final 0 out')
    return { by: 'sigmas', sigmas, mu, strength }
  }
  if (!Number.isInteger(count) || count! < 1 || count! > most) {
    fail(`1 to ${most} steps`, count, 'the model knows no finer ones than it was trained with')
  }
  return { by: 'count', count: count!, mu, strength }
}
