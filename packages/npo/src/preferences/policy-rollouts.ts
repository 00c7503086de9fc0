import { constant, type Tensor } from '@antipode/core'
import { abortSignal, anObject, callable, checkOptions, either, required, whole } from '@antipode/core/options'
import { rng } from '@antipode/core/random'
import type { Scheduler, Steps } from '@antipode/schedulers'
import type { Condition, Denoiser } from '../denoiser.ts'
import type { PolicyBatch } from '../objectives/index.ts'
import type { Reward } from '../reward.ts'
import { scoresOf } from './scores.ts'
import { releaseStep, trajectories } from './trajectories.ts'

/** Options of {@link policyRollouts}. */
export interface PolicyRolloutOptions<C extends Condition> {
  readonly steps: Steps
  /** Of the ends of the runs, `[B]`. */
  readonly reward: Reward<C>
  /** Advantages of rewards, one a run: {@link groupAdvantages} or {@link promptStatistics} by the prompt of each. */
  readonly advantages: (rewards: ArrayLike<number>) => ArrayLike<number>
  /** Whole, in [0, 2⁵³). */
  readonly seed: number
  readonly signal?: AbortSignal
}

/** The steps that runs took at one call. Its tensors are the caller's to dispose, but for the condition's. */
export interface PolicySteps<C extends Condition> extends PolicyBatch<C>, Disposable {}

/**
 * Runs a stochastic sampler to its end, and gives every step that it took: what policy gradients learn from. The steps
 * of call k of all runs are one batch, in the order of the calls. Rewards are of the ends, so nothing is given before.
 * @param scheduler whose steps are normal distributions: `ddim({ eta: 1, clipSample: false, setAlphaToOne: false,
 * stepsOffset: 1 })`, or `flowMatchSde` for a flow
 * @param noise unit normal, `[B, ...]`; not disposed, nor is the condition
 * @throws {ConfigError} if an option is unknown or outside its range, or a step draws no noise
 * @throws {NumericError} unless rewards are finite @throws {ShapeError} unless there is one a run
 */
export async function* policyRollouts<C extends Condition>(
  denoise: Denoiser<C>, scheduler: Scheduler, noise: Tensor, condition: C, options: PolicyRolloutOptions<C>,
): AsyncGenerator<PolicySteps<C>, void, void> {
  checkOptions('policyRollouts', options, {
    steps: required(either(whole(1), anObject('a request for steps'))), reward: required(callable),
    advantages: required(callable), seed: required(whole(0)), signal: abortSignal,
  })
  const { steps, reward, advantages, seed, signal } = options
  const { taken, ends } = await trajectories(denoise, scheduler, noise, condition, { steps, random: rng(seed), signal })
  let given = 0
  try {
    using rewards = reward(ends, condition)
    const values = await scoresOf('policyRollouts', rewards, noise.shape[0] ?? 0)
    const better = constant(noise.device, Array.from(advantages(values)))
    for (const one of taken) {
      given++
      yield { ...one, condition, advantages: better, [Symbol.dispose]: () => releaseStep(one) }
    }
  } finally {
    ends.dispose()
    taken.slice(given).forEach(releaseStep)
  }
}
