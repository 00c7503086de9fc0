import { ConfigError } from '@antipode/core'
import type { ArmScores, EvaluationTable } from '../evaluation/index.ts'
import { findResult, type ResultStore } from './results.ts'
import { cellJobs, checkStudy, type NamedJob, nameOf, type NoiseSet, type Study } from './study.ts'

/** Scores on both sets of noises, as `compareArms` and `evaluateArms` take them. */
export interface StudyTables {
  readonly table: EvaluationTable
  readonly selection: EvaluationTable
}

/**
 * The tables of a study from the results in some stores: those of shards, or one. They depend on the study and its
 * results alone, not on who computed them, when, or in which order.
 * @throws {ConfigError} if results are missing: says how many, and of what
 */
export async function gatherStudy(study: Study, stores: readonly ResultStore[]): Promise<StudyTables> {
  checkStudy('gatherStudy', study)
  const missing = new Map<string, NamedJob>()
  const tableOn = async (noises: NoiseSet): Promise<EvaluationTable> => {
    const arms: ArmScores[] = []
    for (const id of Object.keys(study.arms)) arms.push({ id, scores: await armScores(study, stores, { id, noises, missing }) })
    return { seeds: study.seeds, scales: study.scales, arms, ...(study.clusters ? { clusters: study.clusters } : {}) }
  }
  const [selection, table] = [await tableOn('selection'), await tableOn('evaluation')]
  const [first] = missing.values()
  if (first) {
    const { scale, seed, noises, from, to } = first.job
    throw new ConfigError(
      `gatherStudy: expected a result of every job, got none of ${missing.size}, the first of them items ${from} to ` +
        `${to - 1} of seed ${seed} at scale ${scale} (${noises}); run the study, or name the folders of all its shards`,
    )
  }
  return { table, selection }
}

interface ArmToGather {
  readonly id: string
  readonly noises: NoiseSet
  /** Jobs without a result, which are added to. */
  readonly missing: Map<string, NamedJob>
}

/** `[metric][seed][scale]`, a number an item. */
async function armScores(
  study: Study, stores: readonly ResultStore[], { id: arm, noises, missing }: ArmToGather,
): Promise<Record<string, number[][][]>> {
  const scores: Record<string, number[][][]> = {}
  for (const [s, seed] of study.seeds.entries()) {
    for (const [k, scale] of study.scales.entries()) {
      for (const job of cellJobs(study, { arm, scale, seed, noises })) {
        const named = { id: await nameOf(job), job }
        const result = await findResult(stores, named)
        if (!result) missing.set(named.id, named)
        for (const [metric, values] of Object.entries(result?.scores ?? {})) {
          const row = ((scores[metric] ??= [])[s] ??= [])
          ;(row[k] ??= []).push(...values)
        }
      }
    }
  }
  return scores
}
