import { refuse, show } from '../errors.ts'
import type { Steps, StepsPart, StepsRequest } from './contract.ts'

/** A checked request, as solvers plan by it: the one of the three that was given, and the rest. */
export type PlanRequest = { readonly mu: number | undefined; readonly strength: number } & (
  | { readonly by: 'count'; readonly count: number }
  | { readonly by: 'timesteps'; readonly timesteps: readonly number[] }
  | { readonly by: 'sigmas'; readonly sigmas: readonly number[] }
)

const known = ['count', 'timesteps', 'sigmas', 'mu', 'strength'] as const

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
  const strange = Object.keys(request).find((key) => !(known as readonly string[]).includes(key))
  if (strange !== undefined) fail(`a number or ${known.join(', ')}`, strange, 'remove or rename it')
  const given = (['count', 'timesteps', 'sigmas'] as const).filter((key) => request[key] !== undefined)
  if (given.length !== 1) fail('exactly one of count, timesteps and sigmas', given.join(' and ') || 'none', 'pass one')
  for (const part of ['timesteps', 'sigmas', 'mu'] as const) {
    if (request[part] !== undefined && !accepts.includes(part)) {
      fail(`steps without ${part}, since this configuration makes its own ${part}`, request[part], 'pass a number of steps')
    }
  }
  if (mu !== undefined && !Number.isFinite(mu)) fail('a finite mu', mu, 'work it out from the number of tokens')
  if (!(strength >= 0 && strength <= 1)) fail('a strength from 0 to 1', strength, '1 runs every step')
  if (timesteps !== undefined) return { by: 'timesteps', timesteps, mu, strength }
  if (sigmas !== undefined) {
    const falls = sigmas.every((sigma, i) => sigma > 0 && sigma < (sigmas[i - 1] ?? Infinity))
    if (sigmas.length === 0 || !falls) fail('falling sigmas above 0', sigmas, 'sort them, and leave the final 0 out')
    return { by: 'sigmas', sigmas, mu, strength }
  }
  if (!Number.isInteger(count) || count! < 1 || count! > most) {
    fail(`1 to ${most} steps`, count, 'the model knows no finer steps than it was trained with')
  }
  return { by: 'count', count: count!, mu, strength }
}
