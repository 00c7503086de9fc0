import { checkpoint, full, ShapeError, stopGradient, type Tensor } from '@antipode/core'
import { anObject, callable, checkOptions, flag, type Ranges, required } from '@antipode/core/options'
import { currentTimestep, isDone, type Scheduler, type SchedulerState, type StepResult } from '@antipode/schedulers'
import type { Condition, Denoiser } from '../../denoiser.ts'
import type { Reward } from '../../reward.ts'
import { type SampleState, tensorLinear } from '../../sampling/index.ts'
import { checkSamples } from '../errors.ts'
import type { LossAndMetrics, ModelNetwork, PreferenceObjective } from '../objective.ts'

/** Runs that stand before the steps that are differentiated. */
export interface RolloutBatch<C extends Condition> {
  readonly state: Pick<SampleState, 'sample' | 'solver'>
  readonly condition: C
  /** Unit normal noise for each call that is left, undefined where the solver draws none. */
  readonly noises: readonly (Tensor | undefined)[]
}

/** What objectives by a differentiable reward have. */
export interface RewardGradientOptions<C extends Condition> {
  /** That of the runs in the batches. */
  readonly scheduler: Scheduler
  /** Of images `[B, ...]`, `[B]`: differentiable. */
  readonly reward: Reward<C>
  /** From what is sampled to images; they are one by default. */
  readonly decode?: (samples: Tensor) => Tensor
  /** Loss of rewards, `[B] -> [B]`. */
  readonly loss?: (rewards: Tensor) => Tensor
  /**
   * Whether what the model computes within a step is computed again in the backward pass and not kept: the memory of one
   * step then, whatever their number, for one more forward pass each. True by default.
   */
  readonly checkpoint?: boolean
  /** Changes each estimate of the clean sample, such as a clamp: that of sampling. */
  readonly x0?: (x0: Tensor) => Tensor
}

const rewardGradientRanges: Ranges<RewardGradientOptions<Condition>> = {
  scheduler: required(anObject('a scheduler')), reward: required(callable), decode: callable, loss: callable,
  checkpoint: flag, x0: callable,
}

/** One call of the model that is differentiated, and the solver's step after it. */
export function gradedStep<C extends Condition>(
  denoise: Denoiser<C>, at: RolloutBatch<C>['state'], condition: C, noise: Tensor | undefined,
  { scheduler, checkpoint: again = true, x0 }: RewardGradientOptions<C>,
): StepResult<Tensor> {
  const { sample: x, solver } = at
  const scale = scheduler.inputScale(solver)
  const timesteps = full(x.device, [x.shape[0] ?? 1], currentTimestep(solver)) // [B]
  const call = (input: Tensor): Tensor => denoise(input, timesteps, condition)
  const input = scale === 1 ? x : x.mul(scale)
  const prediction = again ? checkpoint(call, input) : call(input)
  checkSamples('gradedStep', x, { 'the prediction': prediction })
  return scheduler.step(tensorLinear, solver, prediction, x, noise, x0 ? { x0 } : {})
}

/** The end of a run all of whose calls that are left are differentiated. */
export function gradedEnd<C extends Condition>(
  denoise: Denoiser<C>, { state, condition, noises }: RolloutBatch<C>, options: RewardGradientOptions<C>,
): Tensor {
  let at: { readonly sample: Tensor; readonly solver: SchedulerState<Tensor> } = state
  for (let call = 0; !isDone(at.solver); call++) {
    const { sample, state: solver } = gradedStep(denoise, at, condition, noises[call], options)
    at = { sample, solver }
  }
  return at.sample
}

/** Mean loss and mean reward of samples; `sign` −1 negates the reward before the loss is made of it. */
export function rewarded<C extends Condition>(
  samples: Tensor, condition: C, sign: 1 | -1,
  { reward, decode = (x) => x, loss = (rewards) => rewards.neg() }: RewardGradientOptions<C>,
): LossAndMetrics {
  const rewards = reward(decode(samples), condition)
  if (rewards.shape.join() !== `${samples.shape[0]}`) {
    const got = `[${rewards.shape.join()}] for samples [${samples.shape.join()}]`
    throw new ShapeError(`reward: expected one number a sample, got ${got}; take means over all but the first axis`)
  }
  return {
    loss: loss(sign === 1 ? rewards : rewards.neg()).mean(), metrics: { reward: stopGradient(rewards.mean()) },
  }
}

/** An objective whose preference is the sign of its reward. */
export function rewardObjective<Batch, C extends Condition>(
  name: string, evaluate: (model: Denoiser<C>, batch: Batch, sign: 1 | -1) => LossAndMetrics,
): PreferenceObjective<Batch, ModelNetwork<C>> {
  const plain: PreferenceObjective<Batch, ModelNetwork<C>> = {
    name, evaluate: ({ model }, batch) => evaluate(model, batch, 1), negated: () => opposite,
  }
  const opposite: PreferenceObjective<Batch, ModelNetwork<C>> = {
    name: `negated ${name}`, evaluate: ({ model }, batch) => evaluate(model, batch, -1), negated: () => plain,
  }
  return plain
}

/** Checks the options of an objective by a differentiable reward. @throws {ConfigError} by name */
export function checkRewardGradient<C extends Condition>(where: string, options: RewardGradientOptions<C>): void {
  checkOptions(where, options, rewardGradientRanges)
}
