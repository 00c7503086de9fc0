import { rng } from '@antipode/core/random'
import type { JobScores, Study, StudyJob } from '../study.ts'

/** A study whose scores are made up: parabolas over the scale with noise of each item, which all arms share. */
export const toyStudy: Study = {
  task: { kind: 'toy', height: { base: 0, npo: 0.2 } },
  arms: { base: {}, npo: { negative: { delta: 1 } }, dpo: { positive: { eta: 1 }, negative: { eta: 1 } } },
  scales: [1, 2, 4],
  unguided: 1,
  seeds: [3, 5],
  items: { evaluation: 10, selection: 5 },
  batch: 4,
}

/** Depends on the job alone. */
export function toyScores({ positive, negative, scale, seed, noises, from, to }: StudyJob): JobScores {
  const height = (positive['eta'] ?? 0) * 0.1 + (negative['delta'] ?? 0) * 0.2
  const judge = Array.from({ length: to - from }, (_, i) => {
    const noise = rng(seed, { stream: (noises === 'selection' ? 1000 : 0) + from + i }).normal()
    return height - 0.05 * (scale - 2) ** 2 + 0.3 * noise
  })
  return { judge, high: judge.map((score) => Number(score > 0)) }
}
