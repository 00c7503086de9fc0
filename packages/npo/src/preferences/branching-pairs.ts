import { concat, evaluate, full, randn, type Tensor } from '@antipode/core'
import { abortSignal, callable, checkOptions, either, anObject, required, whole } from '@antipode/core/options'
import { rng } from '@antipode/core/random'
import type { Scheduler, Steps } from '@antipode/schedulers'
import { type Condition, type Denoiser, joinConditions } from '../denoiser.ts'
import type { StepPairBatch } from '../objectives/index.ts'
import { type StepCoefficients, stepCoefficients, stepLevels, stepMean } from '../transitions/index.ts'
import { conditionRows, rowsOf } from './rows.ts'
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

/** The pairs of one branching. Its tensors are the caller's to dispose, but for the condition's. */
export interface BranchedPairs<C extends Condition> extends StepPairBatch<C>, Disposable {
  /** Rows of the noise that the pairs belong to. */
  readonly rows: readonly number[]
}

/**
 * Samples by branching (Liang et al. 2024, arXiv 2406.04314, algorithm 1): from step `from` on each sample goes on in
 * several ways, which are told apart by nothing but their noise; one call later they are scored, the best and the worst
 * make a pair, and the run goes on from one of them at random, so that later pairs are no better than earlier ones.
 * Pairs come step by step, those of a step in one batch, and none where no gap passes the threshold. Everything depends
 * on noise, seed and weights alone.
 * @param scheduler whose steps are normal distributions: `ddim({ eta: 1, clipSample: false, setAlphaToOne: false,
 * stepsOffset: 1 })`
 * @param noise unit normal, `[B, ...]`; not disposed, nor is the condition
 * @throws {ConfigError} if an option is unknown or outside its range, or a step draws no noise
 * Source: RockeyCoss/SPO, spo/custom_diffusers (20 steps, guidance 5).
 */
export async function* branchingPairs<C extends Condition>(
  denoise: Denoiser<C>, scheduler: Scheduler, noise: Tensor, condition: C, options: BranchingOptions<C>,
): AsyncGenerator<BranchedPairs<C>, void, void> {
  checkOptions('branchingPairs', options, {
    steps: required(either(whole(1), anObject('a request for steps'))), branches: whole(2), from: whole(0),
    score: required(callable), threshold: callable, seed: required(whole(0)), signal: abortSignal,
  })
  const { branches = 4, from = 4, score, threshold = () => 0.3, seed, signal } = options
  const { device } = noise
  const count = noise.shape[0] ?? 0
  const begun = scheduler.begin<Tensor>(options.steps)
  const calls = begun.plan.timesteps.length
  const several = joinConditions(...Array<C>(branches).fill(condition))
  let x = noise.mul(scheduler.initNoiseSigma(begun.plan))
  /** Where the candidates that x holds came from, and what was predicted of them. */
  let parent: { readonly sample: Tensor; readonly step: StepCoefficients } | undefined
  let prediction: Tensor | undefined
  try {
    await evaluate(x)
    for (let step = 0; step <= calls; step++) {
      signal?.throwIfAborted()
      const random = rng(seed, { stream: step })
      const here = step < calls ? stepCoefficients(scheduler, { ...begun, step }) : undefined
      const rows = x.shape[0] ?? 0
      const timesteps = full(device, [rows], here?.timestep ?? 0)
      prediction = here && denoise(x.mul(here.input), timesteps, parent ? several : condition)
      let next: readonly number[] | undefined
      if (parent) {
        const x0 = here && prediction ? x.mul(here.clean[0]).add(prediction.mul(here.clean[1])) : x
        using scores = score({ sample: x, x0, timesteps, condition: several })
        await evaluate(scores, ...(prediction ? [prediction] : []))
        const values = await scoresOf('branchingPairs', scores, rows)
        const pairs = chosenPairs(values, count, branches, threshold(parent.step))
        if (pairs.length > 0) yield await pairsOf(x, parent, pairs, condition)
        next = Array.from({ length: count }, (_, row) => random.int(branches) * count + row)
      }
      if (!here || !prediction) return
      const [sample, predicted] = next ? [rowsOf(x, next), rowsOf(prediction, next)] : [x, prediction]
      const width = step < from ? 1 : branches
      const levels = stepLevels(device, Array.from({ length: count }, () => here), noise.rank)
      const mean = stepMean(predicted, { ...levels, sample })
      const drawn = Array.from({ length: width }, (_, k) =>
        mean.add(randn(device, noise.shape, { seed: random.int(2 ** 32), stream: k }).mul(here.deviation)))
      const moved = concat(drawn).to(x.dtype) // candidate k of row b at k·B + b
      await evaluate(sample, moved)
      for (const t of [prediction, parent?.sample, ...(sample === x && width > 1 ? [] : [x])]) t?.dispose()
      x = moved
      parent = width > 1 ? { sample, step: here } : undefined
    }
  } finally {
    for (const t of [x, prediction, parent?.sample]) t?.dispose()
  }
}

/** Rows of the best and the worst candidate of a sample. */
export interface ChosenPair {
  readonly row: number
  readonly best: number
  readonly worst: number
}

/**
 * Best and worst of each sample's candidates, where they are far enough apart: candidate k of sample b has score k·B + b.
 * Of equal scores the first counts.
 */
export function chosenPairs(scores: ArrayLike<number>, count: number, branches: number, threshold: number): ChosenPair[] {
  return Array.from({ length: count }, (_, row) => {
    const own = Array.from({ length: branches }, (_, k) => scores[k * count + row] as number)
    const [top, low] = [Math.max(...own), Math.min(...own)]
    return { row, best: own.indexOf(top), worst: own.indexOf(low), gap: Math.tanh((top - low) / 2) }
  }).filter(({ gap }) => gap > threshold).map(({ row, best, worst }) => ({ row, best, worst }))
}

async function pairsOf<C extends Condition>(
  candidates: Tensor, { sample, step }: { readonly sample: Tensor; readonly step: StepCoefficients },
  pairs: readonly ChosenPair[], condition: C,
): Promise<BranchedPairs<C>> {
  const { shape: [count = 0], rank, device } = sample
  const rows = pairs.map(({ row }) => row)
  const [start, best, worst] = [
    rowsOf(sample, rows), rowsOf(candidates, pairs.map(({ row, best: k }) => k * count + row)),
    rowsOf(candidates, pairs.map(({ row, worst: k }) => k * count + row)),
  ]
  await evaluate(start, best, worst)
  const side = { ...stepLevels(device, rows.map(() => step), rank), sample: start }
  return {
    rows, condition: conditionRows(condition, rows), chosen: { ...side, next: best }, rejected: { ...side, next: worst },
    [Symbol.dispose]: () => { for (const t of [start, best, worst]) t.dispose() },
  }
}
