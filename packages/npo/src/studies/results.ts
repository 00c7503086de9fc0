import { CheckpointError, NumericError, ShapeError } from '@antipode/core'
import { canonical, type Json, type JobScores, type NamedJob, nameOf, type StudyJob } from './study.ts'

/** What a job gave, with the job itself, so that a result can be checked wherever it comes from. */
export interface JobResult {
  readonly job: StudyJob
  readonly scores: JobScores
}

/**
 * Where results are kept, under the names of their jobs. A result that is put twice is the same result: it replaces
 * itself, and counts once.
 */
export interface ResultStore {
  /** The result of a job, or undefined if there is none that is whole. */
  get(id: string): Promise<JobResult | undefined>
  put(id: string, result: JobResult): Promise<void>
}

/**
 * @throws {ShapeError} unless each metric has one number an item @throws {NumericError} if a number is not finite
 */
export function checkScores(where: string, { from, to, scale, seed }: StudyJob, scores: JobScores): JobScores {
  const at = `items ${from} to ${to - 1} of seed ${seed} at scale ${scale}`
  for (const [metric, values] of Object.entries(scores)) {
    if (values.length !== to - from) {
      throw new ShapeError(`${where}: expected ${to - from} numbers of ${metric} for ${at}, got ${values.length}; score every item`)
    }
    const bad = values.findIndex((value) => !Number.isFinite(value))
    if (bad >= 0) {
      throw new NumericError(
        `${where}: expected finite scores, got ${values[bad]} of ${metric} for item ${from + bad} of seed ${seed} at ` +
          `scale ${scale}; look for diverged samples`,
        { where: metric },
      )
    }
  }
  if (!Object.hasOwn(scores, 'judge')) {
    throw new ShapeError(`${where}: expected a metric named judge, got ${Object.keys(scores).join(', ') || 'none'}; it chooses scales`)
  }
  return scores
}

/** A result as bytes that are equal for equal results. */
export function encodeResult({ job, scores }: JobResult): Uint8Array {
  return new TextEncoder().encode(`${canonical({ job, scores } as unknown as Json)}\n`) // interfaces of JSON, which have no index
}

/**
 * The result that some bytes hold.
 * @throws {CheckpointError} if they hold none of the job of that name, as after damage
 */
export async function decodeResult(where: string, bytes: Uint8Array, id: string): Promise<JobResult> {
  try {
    const { job, scores } = JSON.parse(new TextDecoder().decode(bytes)) as JobResult // checked here
    if ((await nameOf(job)) === id) return { job, scores: checkScores(where, job, scores) }
  } catch (cause) {
    throw new CheckpointError(`${where}: expected the result of job ${id}, got ${(cause as Error).message}; delete it`, { cause })
  }
  throw new CheckpointError(`${where}: expected the result of job ${id}, got that of another; delete it`)
}

/** The first store's result, or the next one's. */
export async function findResult(stores: readonly ResultStore[], { id }: NamedJob): Promise<JobResult | undefined> {
  for (const store of stores) {
    const found = await store.get(id)
    if (found) return found
  }
  return undefined
}
