import { evaluate, full, randn, type Tensor } from '@antipode/core'
import type { Rng } from '@antipode/core/random'
import type { Scheduler, Steps } from '@antipode/schedulers'
import type { Condition, Denoiser } from '../denoiser.ts'
import { stepCoefficients, stepLevels, stepLogProb, stepMean, type Transitions } from '../transitions/index.ts'

/** A step of some runs, and how likely the policy that took it found it. */
export interface TakenStep extends Transitions {
  /** `[B]` f32 */
  readonly logProbs: Tensor
}

/** Runs from noise to their ends. Its tensors are the caller's to dispose. */
export interface Trajectories {
  readonly taken: readonly TakenStep[]
  /** `[B, ...]` */
  readonly ends: Tensor
}

/** How trajectories are sampled. */
export interface TrajectoryOptions {
  readonly steps: Steps
  readonly random: Rng
  readonly signal?: AbortSignal | undefined
}

/** Runs a stochastic sampler to its end, and keeps every step that it took. What fails disposes what it has made. */
export async function trajectories<C extends Condition>(
  denoise: Denoiser<C>, scheduler: Scheduler, noise: Tensor, condition: C,
  { steps, random, signal }: TrajectoryOptions,
): Promise<Trajectories> {
  const { device, shape: [count = 0] } = noise
  const begun = scheduler.begin<Tensor>(steps)
  const taken: TakenStep[] = []
  let x = noise.mul(scheduler.initNoiseSigma(begun.plan))
  try {
    await evaluate(x)
    for (let step = 0; step < begun.plan.timesteps.length; step++) {
      signal?.throwIfAborted()
      const here = stepCoefficients(scheduler, { ...begun, step })
      const levels = stepLevels(device, Array.from({ length: count }, () => here), noise.rank)
      const prediction = denoise(x.mul(here.input), full(device, [count], here.timestep), condition)
      const mean = stepMean(prediction, { ...levels, sample: x })
      const drawn = randn(device, noise.shape, { seed: random.int(2 ** 32) })
      const next = mean.add(drawn.mul(levels.deviation)).to(x.dtype)
      const logProbs = stepLogProb(mean, { ...levels, next })
      // Batches are used in any order, so that each has a copy of its own.
      const onward = next.mul(1)
      await evaluate(next, onward, logProbs)
      taken.push({ ...levels, sample: x, next, logProbs })
      x = onward
    }
    return { taken, ends: x }
  } catch (error) {
    x.dispose()
    taken.forEach(releaseStep)
    throw error
  }
}

/** Disposes what a step holds. */
export function releaseStep({ sample, next, logProbs }: TakenStep): void {
  for (const t of [sample, next, logProbs]) t.dispose()
}
