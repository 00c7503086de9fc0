import { type Backend, ConfigError, evaluate, randn, type Tensor } from '@antipode/core'
import { anObject, callable, checkOptions, either, listOf, type Ranges, required, whole } from '@antipode/core/options'
import { type Rng, rng } from '@antipode/core/random'
import { type Scheduler, type Steps, tensorsOf } from '@antipode/schedulers'
import type { Condition, Denoiser } from '../denoiser.ts'
import type { RenoisedBatch, RolloutBatch } from '../objectives/index.ts'
import { keepState, sample, sampleToEnd } from '../sampling/index.ts'

/** Options of {@link renoisedRollouts}. */
export interface RunOptions<C extends Condition> {
  /** What samples, with the weights it has at that step: the model in training, guided or not. */
  readonly model: Denoiser<C>
  readonly scheduler: Scheduler
  readonly steps: Steps
  /** Shape of the samples, `[B, ...]`. */
  readonly shape: readonly number[]
  /** The conditions of a training step, for B samples. */
  readonly condition: (step: number) => C
  /** Changes each estimate of the clean sample, such as a clamp. */
  readonly x0?: (x0: Tensor) => Tensor
  /** Whole, in [0, 2⁵³). */
  readonly seed: number
}

/** Options of {@link rewardRollouts}. */
export interface RewardRolloutOptions<C extends Condition> extends RunOptions<C> {
  /** Calls that are left to be differentiated, 1 or more: a number, or one drawn for each batch. */
  readonly graded: number | ((random: Rng) => number)
}

/** What {@link train} takes of a maker of batches. */
export interface BatchMaker<B> {
  /** The batch of a training step. It depends on the step, the seed and the weights alone. */
  readonly batch: (step: number) => Promise<B>
  /** Disposes what was made for a batch. */
  readonly release: (batch: B) => void
}

const ranges: Ranges<RunOptions<Condition>> = {
  model: required(callable), scheduler: required(anObject('a scheduler')),
  steps: required(either(whole(1), anObject('a request for steps'))), shape: required(listOf(whole(1))),
  condition: required(callable), x0: callable, seed: required(whole(0)),
}

/** Sampling draws its noise from other streams than training does, which takes one a step from 0 on. */
const firstStream = 2 ** 30

/**
 * Runs that a model makes itself up to some calls before their end, without gradients: the batches of {@link draft},
 * {@link alignProp} and {@link refl}. `train({ …, ...rewardRollouts(device, { …, graded: 1 }) })`.
 * @throws {ConfigError} if an option is unknown or outside its range; its batches reject so where `graded` is more than a
 * run has, and with what sampling throws
 */
export function rewardRollouts<C extends Condition>(
  device: Backend, options: RewardRolloutOptions<C>,
): BatchMaker<RolloutBatch<C>> {
  checkOptions('rewardRollouts', options, {
    ...ranges, graded: required(either(whole(1), callable)),
  })
  const { scheduler, steps, shape, condition: conditionOf, graded, seed } = options
  return {
    async batch(step) {
      const random = rng(seed, { stream: firstStream + step })
      const condition = conditionOf(step)
      const { timesteps: { length: calls } } = scheduler.timesteps(steps)
      const left = typeof graded === 'number' ? graded : graded(random)
      if (!(Number.isInteger(left) && left >= 1 && left <= calls)) {
        throw new ConfigError(`rewardRollouts: expected graded from 1 to ${calls}, the calls of a run, got ${left}`)
      }
      const noise = randn(device, shape, { seed, stream: firstStream + step })
      const state = await stoodAt(calls - left, noise, { ...options, condition, seed: random.int(2 ** 32) })
      const draws = random.int(2 ** 32)
      const noises = Array.from({ length: left }, (_, call) => {
        const at = { ...state.solver, step: calls - left + call }
        return scheduler.needsNoise(at) ? randn(device, shape, { seed: draws, stream: call }) : undefined
      })
      return { state, condition, noises }
    },
    release: ({ state }) => { for (const t of [state.sample, ...tensorsOf(state.solver)]) t.dispose() },
  }
}

/** Where a run stands before a call: tensors of the caller's. */
async function stoodAt<C extends Condition>(
  call: number, noise: Tensor,
  { model, scheduler, steps, condition, x0, seed }: Omit<RunOptions<C>, 'condition'> & { readonly condition: C },
): Promise<RolloutBatch<C>['state']> {
  if (call === 0) {
    const solver = scheduler.begin<Tensor>(steps)
    const start = noise.mul(scheduler.initNoiseSigma(solver.plan))
    await evaluate(start)
    return { sample: start, solver }
  }
  for await (const step of sample(model, scheduler, noise, condition, { steps, seed, ...(x0 ? { x0 } : {}) })) {
    if (step.index === call - 1) return await keepState(step.state)
  }
  throw new ConfigError(`rewardRollouts: expected a run of more than ${call} calls, got one that ended before`)
}

/** Options of {@link renoisedRollouts}. */
export interface RenoisedRolloutOptions<C extends Condition> extends RunOptions<C> {
  /** n, how often each sample is noised again, whole, 1 or more; 2 by default. */
  readonly draws?: number
}

/**
 * Whole runs that a model makes itself, without gradients, and noise to put on their ends again: the batches of
 * {@link draftLv}.
 * @throws {ConfigError} if an option is unknown or outside its range; its batches reject with what sampling throws
 */
export function renoisedRollouts<C extends Condition>(
  device: Backend, options: RenoisedRolloutOptions<C>,
): BatchMaker<RenoisedBatch<C>> {
  checkOptions('renoisedRollouts', options, { ...ranges, draws: whole(1) })
  const { model, scheduler, steps, shape, condition: conditionOf, x0, seed, draws = 2 } = options
  return {
    async batch(step) {
      const random = rng(seed, { stream: firstStream + step })
      const condition = conditionOf(step)
      const noise = randn(device, shape, { seed, stream: firstStream + step })
      const run = { steps, seed: random.int(2 ** 32), ...(x0 ? { x0 } : {}) }
      const samples = await sampleToEnd(model, scheduler, noise, condition, run)
      const again = random.int(2 ** 32)
      const noises = Array.from({ length: draws }, (_, k) => randn(device, shape, { seed: again, stream: k }))
      const { plan } = scheduler.begin<Tensor>(steps)
      const solver = { plan, step: plan.timesteps.length - 1, history: [], slots: {}, numbers: {} }
      return { samples, condition, solver, noises }
    },
    release: ({ samples }) => { samples.dispose() },
  }
}
