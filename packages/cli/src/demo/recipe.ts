import type { DigitsModelName } from '@antipode/digits'
import type { PairObjectiveName } from '@antipode/npo'

/** Every number of the main job. Fixed before its results were seen; only amounts differ between modes. */
export interface Recipe {
  readonly model: DigitsModelName
  /** Training seeds; each has its own pairs, η and δ. */
  readonly seeds: readonly number[]
  readonly pairs: { readonly count: number; readonly scale: number; readonly temperature: number }
  readonly training: {
    readonly steps: number
    readonly batch: number
    readonly rank: number
    readonly objective: PairObjectiveName
    readonly beta: number
    readonly learningRate: number
    readonly warmup: number
    readonly clipNorm: number
  }
  readonly sampling: { readonly steps: number; readonly batch: number }
  readonly evaluation: { readonly scales: readonly number[]; readonly perSeed: number; readonly selectionPerSeed: number; readonly resamples: number }
  /** Steps in which temporal blocks on the frozen image model learn moving digits. */
  readonly movingSteps: number
  /** θ⁻ = θ + α·η + β·δ of the merged arm. */
  readonly merge: { readonly alpha: number; readonly beta: number }
}

const amounts = {
  fast: { seeds: 1, pairs: 260, steps: 60, perSeed: 50, selectionPerSeed: 20, moving: 15 },
  normal: { seeds: 2, pairs: 640, steps: 120, perSeed: 80, selectionPerSeed: 30, moving: 40 },
  full: { seeds: 4, pairs: 2048, steps: 400, perSeed: 500, selectionPerSeed: 200, moving: 400 },
} as const

/** The recipe of a mode; `full` gives the number of seeds of the patient one. */
export function recipeOf({ model, seed, fast, full }: { readonly model: DigitsModelName; readonly seed: number; readonly fast: boolean; readonly full?: number | undefined }): Recipe {
  const n = amounts[full === undefined ? (fast ? 'fast' : 'normal') : 'full']
  return {
    model,
    seeds: Array.from({ length: full ?? n.seeds }, (_, i) => seed + i),
    pairs: { count: n.pairs, scale: 1.5, temperature: 0.02 },
    training: { steps: n.steps, batch: 48, rank: 8, objective: 'dpo', beta: 2000, learningRate: 1e-3, warmup: 20, clipNorm: 1 },
    sampling: { steps: 10, batch: 128 },
    evaluation: { scales: [1, 2, 3, 5, 8, 12], perSeed: n.perSeed, selectionPerSeed: n.selectionPerSeed, resamples: 2000 },
    movingSteps: n.moving,
    merge: { alpha: 1, beta: 1 },
  }
}
