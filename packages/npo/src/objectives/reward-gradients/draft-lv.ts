import { type Tensor } from '@antipode/core'
import type { SchedulerState } from '@antipode/schedulers'
import type { Condition } from '../../denoiser.ts'
import { tensorLinear } from '../../sampling/index.ts'
import type { LossAndMetrics, ModelNetwork, PreferenceObjective } from '../objective.ts'
import { checkRewardGradient, gradedStep, type RewardGradientOptions, rewarded, rewardObjective } from './graded-run.ts'

/** Samples, and how they are noised again. */
export interface RenoisedBatch<C extends Condition> {
  /** Ends of runs, `[B, ...]`. */
  readonly samples: Tensor
  readonly condition: C
  /** The run at its last call. */
  readonly solver: SchedulerState<Tensor>
  /** Unit normal, like the samples: one for each time that they are noised, one or more. */
  readonly noises: readonly Tensor[]
}

/**
 * DRaFT-LV (Clark et al. 2023, arXiv 2309.17400, section 4.2): DRaFT-1 of less variance. Samples are noised n times to
 * the level of the last call, and the gradient of the reward goes back through one prediction each; the loss is the mean.
 * {@link renoisedRollouts} makes the batches. Negation and metrics as those of {@link draft}.
 * @throws {ConfigError} if an option is unknown or missing
 */
export function draftLv<C extends Condition>(
  options: RewardGradientOptions<C>,
): PreferenceObjective<RenoisedBatch<C>, ModelNetwork<C>> {
  checkRewardGradient('draftLv', options)
  return rewardObjective('draft-lv', (model, { samples, condition, solver, noises }, sign) => {
    const all = noises.map((noise): LossAndMetrics => {
      const sample = options.scheduler.addNoise(tensorLinear, samples, noise, solver)
      const { x0 } = gradedStep(model, { sample, solver }, condition, noise, options)
      return rewarded(x0, condition, sign, options)
    })
    const mean = (of: (one: LossAndMetrics) => Tensor | undefined): Tensor =>
      all.map((one) => of(one) as Tensor).reduce((sum, t) => sum.add(t)).div(all.length)
    return { loss: mean(({ loss }) => loss), metrics: { reward: mean(({ metrics }) => metrics['reward']) } }
  })
}
