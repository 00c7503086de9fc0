import { ConfigError, constant, type Tensor } from '@antipode/core'
import { abortSignal, anObject, callable, checkOptions, either, required, whole } from '@antipode/core/options'
import { rng } from '@antipode/core/random'
import type { Scheduler, Steps } from '@antipode/schedulers'
import type { Condition, Denoiser } from '../denoiser.ts'
import type { LabelledStepPairs } from '../objectives/index.ts'
import type { Reward } from '../reward.ts'
import { scoresOf } from './scores.ts'
import { releaseStep, trajectories } from './trajectories.ts'

/**
 * Which of two samples is preferred, for each of B conditions: 1 the first, −1 the second, 0 neither. A person may
 * answer, by a promise.
 */
export type Choice<C extends Condition> = (
  first: Tensor, second: Tensor, condition: C,
) => ArrayLike<number> | Promise<ArrayLike<number>>

/** Options of {@link trajectoryPairs}. */
export interface TrajectoryPairsOptions<C extends Condition> {
  readonly steps: Steps
  /** Of the ends of the two runs, `[B, ...]` each: {@link rewardChoice}, or a function that asks people. */
  readonly choose: Choice<C>
  /** Whole, in [0, 2⁵³). */
  readonly seed: number
  readonly signal?: AbortSignal
}

/** The steps that pairs of runs took at one call. Its tensors are the caller's to dispose, but for the condition's. */
export interface TrajectoryPairs<C extends Condition> extends LabelledStepPairs<C>, Disposable {}

/**
 * Runs a stochastic sampler twice from the same noise to its end, asks which end is preferred, and gives the steps of
 * both runs with that label: what {@link d3po} learns from. The steps of call k of all pairs are one batch, in the
 * order of the calls. Everything depends on noise, seed, weights and the choice alone.
 * @param scheduler whose steps are normal distributions: `ddim({ eta: 1, clipSample: false, setAlphaToOne: false,
 * stepsOffset: 1 })`, or `flowMatchSde` for a flow
 * @param noise unit normal, `[B, ...]`; not disposed, nor is the condition
 * @throws {ConfigError} if an option is unknown or outside its range, a step draws no noise, or a choice is none of 1,
 * −1 and 0 for each pair
 * Source: yk7333/d3po, scripts/train_d3po.py (20 steps, guidance 5).
 */
export async function* trajectoryPairs<C extends Condition>(
  denoise: Denoiser<C>, scheduler: Scheduler, noise: Tensor, condition: C, options: TrajectoryPairsOptions<C>,
): AsyncGenerator<TrajectoryPairs<C>, void, void> {
  checkOptions('trajectoryPairs', options, {
    steps: required(either(whole(1), anObject('a request for steps'))), choose: required(callable),
    seed: required(whole(0)), signal: abortSignal,
  })
  const { steps, choose, seed, signal } = options
  const sampled = (stream: number): ReturnType<typeof trajectories> => {
    return trajectories(denoise, scheduler, noise, condition, { steps, random: rng(seed, { stream }), signal })
  }
  const first = await sampled(0)
  let held = first.taken
  try {
    const second = await sampled(1)
    held = [...held, ...second.taken]
    try {
      const labels = checkedLabels(await choose(first.ends, second.ends, condition), noise.shape[0] ?? 0)
      const preference = constant(noise.device, labels)
      for (const [i, chosen] of first.taken.entries()) {
        const pair = [chosen, second.taken[i]!] as const
        held = held.filter((step) => !pair.includes(step))
        yield { chosen, rejected: pair[1], preference, condition, [Symbol.dispose]: () => pair.forEach(releaseStep) }
      }
    } finally {
      second.ends.dispose()
    }
  } finally {
    first.ends.dispose()
    held.forEach(releaseStep)
  }
}

function checkedLabels(labels: ArrayLike<number>, count: number): readonly number[] {
  const all = Array.from(labels)
  if (all.length === count && all.every((label) => [1, -1, 0].includes(label))) return all
  throw new ConfigError(`trajectoryPairs: expected choices of 1, -1 or 0 for ${count} pairs, got [${all.join()}]`)
}

/**
 * The choice of rewards: a sample is preferred where no reward gives it less and one gives it more.
 * @throws {ShapeError} unless a reward is one number a sample @throws {NumericError} unless rewards are finite
 * Source: yk7333/d3po, `compare` in scripts/train_d3po.py.
 */
export function rewardChoice<C extends Condition>(...rewards: readonly Reward<C>[]): Choice<C> {
  return async (first, second, condition) => {
    const count = first.shape[0] ?? 0
    const signs: number[][] = Array.from({ length: count }, () => [])
    for (const reward of rewards) {
      using ofFirst = reward(first, condition)
      using ofSecond = reward(second, condition)
      const one = await scoresOf('rewardChoice', ofFirst, count)
      const two = await scoresOf('rewardChoice', ofSecond, count)
      for (const [i, row] of signs.entries()) row.push(Math.sign(one[i]! - two[i]!))
    }
    return signs.map((row) => Math.sign(Math.min(...row, 0)) + Math.sign(Math.max(...row, 0)))
  }
}
