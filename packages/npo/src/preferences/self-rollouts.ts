import { type Backend, evaluate, randn, type Tensor } from '@antipode/core'
import { anObject, callable, checkOptions, finite, oneOf, required, whole } from '@antipode/core/options'
import { type Rng, rng } from '@antipode/core/random'
import type { Condition } from '../denoiser.ts'
import type { SelfNpoBatch } from '../objectives/index.ts'
import type { BatchMaker } from './batch-maker.ts'
import { runEnd, selfGrid, type TruncatedRunOptions, truncatedRuns } from './truncated-runs.ts'

/** Options of {@link selfRollouts}. */
export interface SelfRolloutOptions<C extends Condition> extends TruncatedRunOptions<C> {
  /** Clean samples of a training step, the model's own or real ones, `[B, ...]`, and their conditions. */
  readonly samples: (step: number) => { readonly samples: Tensor; readonly condition: C }
  /** Whole, in [0, 2⁵³). */
  readonly seed: number
}

/**
 * The batches of {@link selfNpo}: from a level of the grid drawn for each sample, up to five steps of the teacher, and
 * noise up to a level above where they end. Without data, give samples of zeros and the runs begin at nearly pure noise
 * where the level is high, or samples of the model's own.
 * @throws {ConfigError} if an option is unknown or outside its range
 */
export function selfRollouts<C extends Condition>(
  device: Backend, options: SelfRolloutOptions<C>,
): BatchMaker<SelfNpoBatch<C>> {
  checkOptions('selfRollouts', options, {
    teacher: required(callable), unconditional: required(callable), omega: finite,
    scheduler: required(anObject('a scheduler')), moves: whole(0), variant: oneOf('per-sample', 'released'),
    samples: required(callable), seed: required(whole(0)),
  })
  const { moves = 5, samples: samplesOf, seed } = options
  return {
    async batch(step) {
      const random = rng(seed, { stream: step })
      const { samples, condition } = samplesOf(step)
      const starts = Array.from({ length: samples.shape[0] ?? 0 }, () => random.int(selfGrid.length))
      const plan = { starts, noised: starts.map((k) => above(runEnd(k, moves), random)) }
      const draw = (stream: number): Tensor => randn(device, samples.shape, { seed: random.int(2 ** 32), stream })
      const made = truncatedRuns(samples, [draw(0), draw(1)], condition, plan, options)
      await evaluate(made.sample, made.target)
      return made
    },
    release: ({ sample, target }) => {
      sample.dispose()
      target.dispose()
    },
  }
}

/** U{t + 1 … 999} */
function above(t: number, random: Rng): number {
  return t + 1 + random.int(999 - t)
}
