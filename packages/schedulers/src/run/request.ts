import { checkNames } from '../config/index.ts'
import { refuse, show } from '../errors.ts'
import type { Steps, StepsPart, StepsRequest } from './contract.ts'

/** A checked request, as solvers plan by it: the one of the three that was given, and the rest. */
export type PlanRequest = { readonly mu: number | undefined; readonly strength: number } & (
  | { readonly by: 'count'; readonly count: number }
  | { readonly by: 'timesteps'; readonly timesteps: readonly number[] }
  | { readonly by: 'sigmas'; readonly sigmas: readonly number[] }
)

const parts = ['count', 'timesteps', 'sigmas', 'mu', 'strength']

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
  const where = `${solver}.timesteps`
  const fail = (expected: string, got: unknown, advice: string): never => refuse(where, expected, show(got), advice)

  checkNames(where, request, parts)
  const { count, timesteps, sigmas, mu, strength = 1 } = request
  const taken = ['count', ...accepts, 'strength']
  const given = Object.entries(request).flatMap(([part, value]) => (value === undefined ? [] : [part]))
  const strange = given.find((part) => !taken.includes(part))
  if (strange !== undefined) fail(`steps by ${taken.join(', ')}`, strange, 'this configuration decides the rest itself')
  const chosen = given.filter((part) => part !== 'mu' && part !== 'strength')
  if (chosen.length !== 1) fail('one of count, timesteps, sigmas', chosen.join(), 'pass exactly one')
  if (!isNumber(strength) || !(strength > 0 && strength <= 1)) {
    fail('strength above 0, up to 1', strength, '1 runs every step, and 0 would run none')
  }

  if (timesteps !== undefined) return { by: 'timesteps', timesteps: numbersOf(where, 'timesteps', timesteps), mu, strength }
  if (sigmas !== undefined) {
    const levels = numbersOf(where, 'sigmas', sigmas)
    // Plans hold float32, where two levels can become one, or none.
    const falls = levels.every((sigma, i) => Math.fround(sigma) > 0 && Math.fround(sigma) < Math.fround(levels[i - 1] ?? Infinity))
    if (!falls || levels.length === 0) fail('falling sigmas above 0', sigmas, 'sort them and leave the final 0 out')
    return { by: 'sigmas', sigmas: levels, mu, strength }
  }
  if (!Number.isInteger(count) || count! < 1 || count! > most) {
    fail(`1 to ${most} steps`, count, 'the model knows no finer ones than it was trained with')
  }
  return { by: 'count', count: count!, mu, strength }
}

/**
 * How many of `count` steps are left with a strength: what image-to-image runs.
 * @throws {SchedulerError} if none is
 */
export function stepsLeft(solver: string, count: number, strength: number): number {
  const left = Math.floor(count * strength)
  if (left > 0) return left
  const enough = `strength ${Math.ceil(1e4 / count) / 1e4} or more, or ${Math.ceil(1 / strength)} steps`
  return refuse(`${solver}.timesteps`, `strength to leave one of ${count} steps`, String(strength), `take ${enough}`)
}

const isNumber = (value: unknown): value is number => typeof value === 'number'

function numbersOf(where: string, part: string, list: unknown): readonly number[] {
  const values = Array.isArray(list) || ArrayBuffer.isView(list) ? Array.from(list as ArrayLike<unknown>) : undefined
  if (values?.every(isNumber)) return values
  return refuse(where, `${part} to be a list of numbers`, show(list), 'pass [999, 500, 20] for example')
}
