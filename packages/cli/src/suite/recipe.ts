/** A preference method of the map. */
export type MethodName = 'dpo' | 'kto' | 'spo' | 'draft' | 'self'

/** What is trained: an offset, or every weight that adapters can change. */
export type WeightsName = 'lora' | 'full'

/**
 * How an offset is trained: towards the preference (η), or as a negative (δ): on the reversed preference, or on the plain
 * one inside of the guided prediction.
 */
export type FormName = 'eta' | 'swap' | 'guided'

/** Every number of the map. Fixed before its results were seen, but for what `choice` decides on seeds of its own. */
export interface SuiteRecipe {
  readonly model: 'digits-16'
  /** Seeds on which lengths of training are chosen; nothing else is read off them. */
  readonly choiceSeeds: readonly number[]
  /** Seeds of the results. */
  readonly seeds: readonly number[]
  readonly pairs: { readonly count: number; readonly more: number; readonly scale: number; readonly temperature: number }
  /** Lengths of training to choose from for each method and form, rising, in steps; the factor `long` adds. */
  readonly lengths: readonly number[]
  readonly long: number
  readonly training: {
    readonly batch: number
    readonly rank: number
    readonly learningRate: Readonly<Record<WeightsName, number>>
    readonly warmup: number
    readonly clipNorm: number
    /** Scale of the guidance that `guided` offsets are trained in. */
    readonly guidedScale: number
    /** Steps of the runs of online methods. */
    readonly runSteps: number
    /** Decay of the teacher of Self-NPO. */
    readonly teacherDecay: number
  }
  readonly sampling: { readonly steps: number; readonly batch: number }
  readonly evaluation: { readonly scales: readonly number[]; readonly perSeed: number; readonly selectionPerSeed: number; readonly resamples: number }
}

/** The map of so many seeds. */
export function suiteRecipe({ seed, seeds }: { readonly seed: number; readonly seeds: number }): SuiteRecipe {
  return {
    model: 'digits-16',
    choiceSeeds: [seed + 1000],
    seeds: Array.from({ length: seeds }, (_, i) => seed + i),
    pairs: { count: 400, more: 1200, scale: 1.5, temperature: 0.02 },
    lengths: [40, 100],
    long: 250,
    training: {
      batch: 32, rank: 8, learningRate: { lora: 1e-3, full: 2e-4 }, warmup: 10, clipNorm: 1, guidedScale: 3, runSteps: 10, teacherDecay: 0.9,
    },
    sampling: { steps: 10, batch: 128 },
    evaluation: { scales: [1.5, 2.5, 4, 6, 9], perSeed: 30, selectionPerSeed: 14, resamples: 10_000 },
  }
}
