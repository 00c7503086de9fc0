import type { ArmScores, EvaluationTable, Metric } from './table.ts'

/** What {@link scoreTable} scores. */
export interface ScoredSamples {
  readonly seeds: readonly number[]
  readonly scales: readonly number[]
  /** Ids of the arms, in the order of the table. */
  readonly arms: readonly string[]
  /** For each seed the samples of every arm, a batch a scale; item i of all batches of a seed has one condition and one initial noise. */
  readonly samples: readonly ReadonlyMap<string, readonly Float32Array[]>[]
  /** One number for each item of a batch. */
  readonly metrics: Readonly<Record<Metric, (batch: Float32Array) => ArrayLike<number>>>
}

/** Scores the samples of several seeds, in the form that the evaluation protocol takes. */
export function scoreTable({ seeds, scales, arms, samples, metrics }: ScoredSamples): EvaluationTable {
  const scored = arms.map((id): ArmScores => {
    const scoresOf = Object.entries(metrics).map(([metric, score]) =>
      [metric, samples.map((seed) => (seed.get(id) ?? []).map(score))] as const)
    return { id, scores: Object.fromEntries(scoresOf) }
  })
  return { seeds, scales, arms: scored }
}
