import type { Queue, Worker } from 'bullmq'
import { ConfigError } from '@antipode/core'
import { abortSignal, anObject, atLeast, callable, checkOptions, positive, required, text } from '@antipode/core/options'
import { checkScores, type ResultStore } from './results.ts'
import type { ScoreJob, StudyStep } from './run-study.ts'
import { jobsOf, type JobScores, type NamedJob, type Study, type StudyJob } from './study.ts'

/** A queue of jobs on a Redis-compatible server, kept by BullMQ. */
export interface StudyQueue {
  /** Such as `redis://host:6379`. */
  readonly url: string
  /** Name of the queue, `antipode` by default. */
  readonly name?: string
}

/** Options of {@link queueStudy}. */
export interface QueueStudyOptions extends StudyQueue {
  readonly store: ResultStore
  /** Seconds between looks at the server, above 0; ¼ by default. */
  readonly every?: number
  readonly signal?: AbortSignal
}

/** Options of {@link workOnStudy}. */
export interface WorkOptions extends StudyQueue {
  readonly score: ScoreJob
  /** Called after each job. */
  readonly onJob?: (id: string, job: StudyJob) => void
  /** Seconds without a job after which the work ends, 0 or more; without it, it ends by the signal alone. */
  readonly idle?: number
  /**
   * Seconds after which a job whose worker gives no sign of life is given to another, above 0; 30 by default. A worker
   * that computes without a pause for longer loses its job.
   */
  readonly lock?: number
  readonly signal?: AbortSignal
}

const where = { url: required(text), name: text }

/** Times that a job may lose its worker. */
const mostLosses = 25
/** Times that a job is tried: graphics devices may be lost. */
const attempts = 3

/**
 * Hands the jobs of a study that have no result yet to workers, and stores their results as they come. Jobs are named
 * by what they are: those of an interrupted run are taken up where they stand, and a job that ran twice, because its
 * worker was thought dead, counts once.
 * @throws {ConfigError} without BullMQ, without a server, if the study is none, or if a job failed {@link attempts} times
 */
export async function* queueStudy(study: Study, options: QueueStudyOptions): AsyncGenerator<StudyStep, void, undefined> {
  checkOptions('queueStudy', options, { ...where, store: required(anObject('a store of results')), every: positive, signal: abortSignal })
  const { store, every = 0.25, signal } = options
  const jobs = await jobsOf(study)
  const pending = new Map<string, NamedJob>()
  let done = 0
  for (const named of jobs) {
    const result = await store.get(named.id)
    if (result) yield { done: ++done, total: jobs.length, id: named.id, result, known: true }
    else pending.set(named.id, named)
  }
  if (pending.size === 0) return
  await using queue = await openQueue('queueStudy', options)
  await forgetFailed(queue, pending)
  await queue.addBulk([...pending.values()].map(({ id, job }) => ({
    name: 'score', data: job, opts: { jobId: id, attempts, backoff: { type: 'fixed', delay: 1000 } },
  })))
  while (pending.size > 0) {
    signal?.throwIfAborted()
    for (const one of await queue.getJobs(['completed', 'failed'])) {
      const named = pending.get(one.id ?? '')
      if (!named) continue // of another study
      if (one.failedReason) throw new ConfigError(`queueStudy: job ${named.id} failed ${attempts} times: ${one.failedReason}`)
      const result = { job: named.job, scores: checkScores('queueStudy', named.job, one.returnvalue) }
      await store.put(named.id, result)
      pending.delete(named.id)
      await one.remove()
      yield { done: ++done, total: jobs.length, id: named.id, result, known: false }
    }
    await new Promise((resolve) => { setTimeout(resolve, every * 1000) })
  }
}

/**
 * Takes jobs from a queue and scores them, one at a time, until the signal aborts or there has been nothing to do for a
 * while. The job that is being scored when the signal aborts goes to another worker.
 * @throws {ConfigError} without BullMQ, or without a server
 */
export async function workOnStudy(options: WorkOptions): Promise<void> {
  checkOptions('workOnStudy', options, {
    ...where, score: required(callable), onJob: callable, idle: atLeast(0), lock: positive, signal: abortSignal,
  })
  const { score, onJob, idle = Infinity, lock = 30, name = 'antipode', url } = options
  const { signal = new AbortController().signal } = options
  const { Worker } = await bullmq('workOnStudy', url)
  const at = { work: false, since: Date.now() }
  const turn = (work: boolean) => (): void => { Object.assign(at, { work, since: Date.now() }) }
  const worker: Worker<StudyJob, JobScores> = new Worker(name, async ({ id = '', data: job }) => {
    const scores = checkScores('workOnStudy', job, await score(job, signal))
    onJob?.(id, job)
    return scores
  }, {
    connection: { url, maxRetriesPerRequest: null }, autorun: false, lockDuration: lock * 1000,
    stalledInterval: lock * 1000, maxStalledCount: mostLosses, drainDelay: 1,
  })
  worker.on('active', turn(true)).on('completed', turn(false)).on('failed', turn(false))
  // An emitter without a listener for errors would end the process; BullMQ connects again by itself.
  worker.on('error', () => undefined)
  const working = worker.run()
  const idled = (): boolean => !at.work && Date.now() - at.since > idle * 1000
  while (!signal.aborted && !idled()) await new Promise((resolve) => { setTimeout(resolve, 100) })
  await worker.close(signal.aborted)
  await working
}

/** Jobs that failed in an earlier run are tried again. */
async function forgetFailed(queue: Queue<StudyJob, JobScores>, pending: ReadonlyMap<string, NamedJob>): Promise<void> {
  for (const one of await queue.getJobs(['failed'])) if (pending.has(one.id ?? '')) await one.remove()
}

async function openQueue(
  op: string, { url, name = 'antipode' }: StudyQueue,
): Promise<Queue<StudyJob, JobScores> & AsyncDisposable> {
  const { Queue } = await bullmq(op, url)
  const queue = new Queue<StudyJob, JobScores>(name, { connection: { url } })
  queue.on('error', () => undefined)
  return Object.assign(queue, { [Symbol.asyncDispose]: () => queue.close() })
}

/** BullMQ, once a server has answered: without one it would wait for ever. */
async function bullmq(op: string, url: string): Promise<typeof import('bullmq')> {
  const [queues, { Redis }] = await Promise.all([import('bullmq'), import('ioredis')]).catch((cause: unknown) => {
    throw new ConfigError(`${op}: expected bullmq and ioredis beside @antipode/npo, got neither or one; run npm install bullmq ioredis`, { cause })
  })
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
  let refusal: Error | undefined
  client.on('error', (error: Error) => { refusal ??= error })
  try {
    await client.connect()
    await client.ping()
  } catch (error) {
    const cause = refusal ?? (error as Error)
    throw new ConfigError(`${op}: expected a Redis-compatible server at ${url}, got ${cause.message}; start one there`, { cause })
  } finally {
    client.disconnect()
  }
  return queues
}
