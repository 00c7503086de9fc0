import { abortSignal, anObject, callable, checkOptions, required } from '@antipode/core/options'
import { checkScores, type JobResult, type ResultStore } from './results.ts'
import { jobsOf, type JobScores, type NamedJob, type Shard, shardOf, type Study, type StudyJob } from './study.ts'

/** Samples and scores the items of a job. What it gives may depend on nothing but the job. */
export type ScoreJob = (job: StudyJob, signal: AbortSignal) => JobScores | Promise<JobScores>

/** Options of {@link runStudy}. */
export interface RunStudyOptions {
  readonly score: ScoreJob
  readonly store: ResultStore
  /** The share of this machine; all jobs by default. */
  readonly shard?: Shard
  readonly signal?: AbortSignal
}

/** A job that is done. */
export interface StudyStep {
  readonly done: number
  readonly total: number
  readonly id: string
  readonly result: JobResult
  /** Whether an earlier run had done it. */
  readonly known: boolean
}

/**
 * Runs the jobs of a study that have no result yet, one after the other, and stores each as it is done: an interrupted
 * run goes on where it was.
 * @throws {ConfigError} if the study is none, or an option is unknown or outside its range
 * @throws {NumericError} if a score is not finite @throws {ShapeError} if an item has no score, or the judge is missing
 */
export async function* runStudy(study: Study, options: RunStudyOptions): AsyncGenerator<StudyStep, void, undefined> {
  checkOptions('runStudy', options, {
    score: required(callable), store: required(anObject('a store of results')), shard: anObject('an index and a number'),
    signal: abortSignal,
  })
  const { score, store, shard = { index: 0, of: 1 }, signal = new AbortController().signal } = options
  const jobs = shardOf(await jobsOf(study), shard)
  for (const [i, named] of jobs.entries()) {
    signal.throwIfAborted()
    const known = await store.get(named.id)
    const result = known ?? (await scored(named, { score, store, signal }))
    yield { done: i + 1, total: jobs.length, id: named.id, result, known: known !== undefined }
  }
}

async function scored(
  { id, job }: NamedJob, { score, store, signal }: Required<Omit<RunStudyOptions, 'shard'>>,
): Promise<JobResult> {
  const result = { job, scores: checkScores('runStudy', job, await score(job, signal)) }
  await store.put(id, result)
  return result
}
