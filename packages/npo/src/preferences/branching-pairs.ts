import { concat, evaluate, full, randn, type Tensor } from '@antipode/core'
import { abortSignal, callable, checkOptions, either, anObject, required, whole } from '@antipode/core/options'
import { rng } from '@antipode/core/random'
import type { Scheduler, Steps } from '@antipode/schedulers'
import { type Condition, type Denoiser, joinConditions } from '../denoiser.ts'
import { type StepCoefficients, stepCoefficients, stepLevels, stepMean } from '../transitions/index.ts'
import { type BranchedPairs, chosenPairs, stepPairs } from './chosen-pairs.ts'
import { rowsOf } from './rows.ts'
import { scoresOf } from './scores.ts'

/** What a step-aware preference model looks at. */
export interface Candidates<C extends Condition> {
  /** Samples at the noise level of `timesteps`, `[R, ...]`. */
  readonly sample: Tensor
  /** The clean samples that the model estimates there; `sample` itself at the end of the run. */
  readonly x0: Tensor
  /** `[R]` f32, 0 at the end of the run. */
  readonly timesteps: Tensor
  readonly condition: C
}

/** Options of {@link branchingPairs}. */
export interface BranchingOptions<C extends Condition> {
  readonly steps: Steps
  /** Candidates a branching, whole, 2 or more; 4 by default. */
  readonly branches?: number
  /** First step that branches, whole, 0 or more; 4 by default. */
  readonly from?: number
  /**
   * Further steps that each candidate takes by itself before they are compared, whole, 0 or more; 0 by default. With
   * some, a last call on which candidates would part again is one step more of those before.
   */
  readonly inner?: number
  /** Preference scores of candidates, `[R]`: more is better. */
  readonly score: (candidates: Candidates<C>) => Tensor
  /**
   * τ of a step: a pair is kept where softmax([s_max, s_min]) differs by more, tanh((s_max − s_min)/2) > τ. 0.3 by
   * default; `lpoThreshold` makes one of the noise level.
   */
  readonly threshold?: (step: StepCoefficients) => number
  /** Whole, in [0, 2⁵³). */
  readonly seed: number
  readonly signal?: AbortSignal
}

/** Candidates since they parted: the steps that they took, and where each of those began. */
interface Chain {
  readonly steps: StepCoefficients[]
  /** B rows, from which all candidates came, and then K·B each. */
  readonly samples: Tensor[]
}

/**
 * Samples by branching (Liang et al. 2024, arXiv 2406.04314, algorithm 1): from step `from` on each sample goes on in
 * several ways, which are told apart by nothing but their noise; `inner` steps and one call later they are scored, the
 * best and the worst make a pair of each step since they parted, and the run goes on from one of them at random, so
 * that later pairs are no better than earlier ones. Pairs come step by step, those of a step in one batch, and none
 * where no gap passes the threshold. Everything depends on noise, seed and weights alone.
 * @param scheduler whose steps are normal distributions: `ddim({ eta: 1, clipSample: false, setAlphaToOne: false,
 * stepsOffset: 1 })`
 * @param noise unit normal, `[B, ...]`; not disposed, nor is the condition
 * @throws {ConfigError} if an option is unknown or outside its range, or a step draws no noise
 * Source: RockeyCoss/SPO, spo/custom_diffusers: 20 steps and guidance 5; for SD 1.5 the defaults, for SDXL 2 branches
 * of 3 inner steps and τ = 0.4.
 */
export async function* branchingPairs<C extends Condition>(
  denoise: Denoiser<C>, scheduler: Scheduler, noise: Tensor, condition: C, options: BranchingOptions<C>,
): AsyncGenerator<BranchedPairs<C>, void, void> {
  checkOptions('branchingPairs', options, {
    steps: required(either(whole(1), anObject('a request for steps'))), branches: whole(2), from: whole(0),
    inner: whole(0), score: required(callable), threshold: callable, seed: required(whole(0)), signal: abortSignal,
  })
  const { branches = 4, from = 4, inner = 0, score, threshold = () => 0.3, seed, signal } = options
  const { device } = noise
  const count = noise.shape[0] ?? 0
  const begun = scheduler.begin<Tensor>(options.steps)
  const calls = begun.plan.timesteps.length
  const several = joinConditions(...Array<C>(branches).fill(condition))
  let x = noise.mul(scheduler.initNoiseSigma(begun.plan))
  let chain: Chain | undefined
  let prediction: Tensor | undefined
  try {
    await evaluate(x)
    for (let step = 0; step <= calls; step++) {
      signal?.throwIfAborted()
      const random = rng(seed, { stream: step })
      const here = step < calls ? stepCoefficients(scheduler, { ...begun, step }) : undefined
      const rows = x.shape[0] ?? 0
      const timesteps = full(device, [rows], here?.timestep ?? 0)
      prediction = here && denoise(x.mul(here.input), timesteps, chain ? several : condition)
      const apart = chain && chain.steps.length > inner && !(inner > 0 && step === calls - 1)
      let next: readonly number[] | undefined
      if (chain && (apart || !here)) {
        const x0 = here && prediction ? x.mul(here.clean[0]).add(prediction.mul(here.clean[1])) : x
        using scores = score({ sample: x, x0, timesteps, condition: several })
        await evaluate(scores, ...(prediction ? [prediction] : []))
        const values = await scoresOf('branchingPairs', scores, rows)
        const pairs = chosenPairs(values, count, branches, threshold(chain.steps[0]!))
        for (const [i, taken] of chain.steps.entries()) {
          if (pairs.length === 0) break
          yield await stepPairs([chain.samples[i]!, chain.samples[i + 1] ?? x], taken, pairs, count, condition)
        }
        next = Array.from({ length: count }, (_, row) => random.int(branches) * count + row)
      }
      if (!here || !prediction) return
      const [sample, predicted] = next ? [rowsOf(x, next), rowsOf(prediction, next)] : [x, prediction]
      const parts = step >= from && (!chain || next !== undefined)
      const levels = stepLevels(device, Array.from({ length: sample.shape[0] ?? 0 }, () => here), noise.rank)
      const mean = stepMean(predicted, { ...levels, sample })
      const drawn = Array.from({ length: parts ? branches : 1 }, (_, k) =>
        mean.add(randn(device, sample.shape, { seed: random.int(2 ** 32), stream: k }).mul(here.deviation)))
      const moved = concat(drawn).to(x.dtype) // candidate k of row b at k·B + b
      await evaluate(sample, moved)
      prediction.dispose()
      if (next) for (const t of [x, ...chain?.samples ?? []]) t.dispose()
      if (parts) chain = { steps: [here], samples: [sample] }
      else if (chain) {
        chain.steps.push(here)
        chain.samples.push(x)
      } else x.dispose()
      x = moved
    }
  } finally {
    for (const t of [x, prediction, ...chain?.samples ?? []]) t?.dispose()
  }
}
