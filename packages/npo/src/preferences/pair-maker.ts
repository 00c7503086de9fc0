import {
  type Backend, constant, embedding, evaluate, randn, type Tensor,
} from '@antipode/core'
import { anObject, callable, checkOptions, either, listOf, positive, required, whole } from '@antipode/core/options'
import { rng } from '@antipode/core/random'
import type { Schedule, Scheduler, Steps } from '@antipode/schedulers'
import { type Condition, type Denoiser, joinConditions } from '../denoiser.ts'
import type { GuidedDenoiser } from '../guidance/index.ts'
import type { PairBatch } from '../objectives/index.ts'
import { drawNoise, type ForwardProcess } from '../process/index.ts'
import { sampleToEnd } from '../sampling/index.ts'
import { prefersFirst } from './label-pairs.ts'
import { scoresOf } from './scores.ts'
import type { Reward } from '../reward.ts'

/** Options of {@link pairMaker}. */
export interface PairMakerOptions<C extends Condition> {
  /** What samples, with the weights it has at that step: the model in training, guided or not. */
  readonly model: Denoiser<C> | GuidedDenoiser<C>
  readonly scheduler: Scheduler
  /** Of sampling. */
  readonly steps: Steps
  /** Shape of the samples, `[B, ...]`: B pairs a batch. */
  readonly shape: readonly number[]
  /** The conditions of a training step's pairs, for B samples. */
  readonly condition: (step: number) => C
  readonly reward: Reward<C>
  /** Of the preference, in units of the reward, above 0: near 0 the better sample always wins. */
  readonly temperature: number
  /** What the model is trained by: see {@link drawNoise}. */
  readonly process: Schedule | ForwardProcess
  /** Whole, in [0, 2⁵³). */
  readonly seed: number
}

/** What {@link train} takes of a maker of pairs. */
export interface PairMaker<C extends Condition> {
  /** Samples the pairs of a training step and labels them. They depend on the step, the seed and the weights alone. */
  readonly batch: (step: number) => Promise<PairBatch<C>>
  /** Disposes the samples of a batch. */
  readonly release: (batch: PairBatch<C>) => void
}

/** Sampling draws its noise from other streams than training does, which takes one a step from 0 on. */
const firstStream = 2 ** 30

/**
 * Pairs that a model samples itself while it is trained, two of each condition, labelled as {@link labelPairs} does:
 * online preference optimisation with any objective on pairs. `train({ …, ...pairMaker({ … }) })`.
 * @throws {ConfigError} if an option is unknown or outside its range; its batches reject with ShapeError or
 * NumericError unless the reward gives one finite number a sample, and with what sampling throws
 */
export function pairMaker<C extends Condition>(device: Backend, options: PairMakerOptions<C>): PairMaker<C> {
  checkOptions('pairMaker', options, {
    model: required(either(callable, anObject('a guided denoiser'))), scheduler: required(anObject('a scheduler')),
    steps: required(either(whole(1), anObject('a request for steps'))), shape: required(listOf(whole(1))),
    condition: required(callable), reward: required(callable), temperature: required(positive),
    process: required(anObject('a schedule or process')), seed: required(whole(0)),
  })
  const { model, scheduler, steps, condition, reward, temperature, process, seed } = options
  const [count = 1, ...rest] = options.shape
  return {
    async batch(step) {
      const random = rng(seed, { stream: firstStream + step })
      const conditions = condition(step)
      const both = joinConditions(conditions, conditions)
      const noise = randn(device, [2 * count, ...rest], { seed, stream: firstStream + step })
      const run = { steps, seed: random.int(2 ** 32) }
      using samples = await sampleToEnd(model, scheduler, noise, both, run) // [2B, ...]
      using scores = reward(samples, both) // [2B]
      const values = await scoresOf('pairMaker', scores, 2 * count)
      const winners = Array.from({ length: count }, (_, i) =>
        (prefersFirst(values[i]! - values[count + i]!, temperature, random) ? i : count + i))
      const losers = winners.map((row, i) => count + 2 * i - row)
      const [chosen, rejected] = [winners, losers].map((rows) =>
        embedding(samples, constant(device, rows, [count], { dtype: 'i32' }))) as [Tensor, Tensor]
      await evaluate(chosen, rejected)
      return { ...drawNoise(device, process, chosen.shape, { seed, step }), chosen, rejected, condition: conditions }
    },
    release({ chosen, rejected }) {
      chosen.dispose()
      rejected.dispose()
    },
  }
}
