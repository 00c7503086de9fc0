import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compareArms } from '@antipode/npo/evaluation'
import {
  directoryStore, gatherStudy, queueStudy, runStudy, type ScoreJob, type Study, workOnStudy,
} from '@antipode/npo/studies'
import { type EvalSettings, isDigits, readEvalSettings } from '../eval-settings/index.ts'
import type { Progress } from '../progress/index.ts'
import { UsageError } from '../usage-error.ts'
import { evalPage } from './page.ts'
import { bySeed, type Evaluated, seedTasksOf } from './scorer.ts'

/** What all forms of `antipode eval` share. */
interface EvalContext {
  /** File of settings. */
  readonly study: string
  readonly version: string
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** Options of `antipode eval run`. */
export interface EvalRunOptions extends EvalContext {
  readonly out: string
  /** The share of this machine, from 0. */
  readonly shard?: { readonly index: number; readonly of: number }
  /** Server of a queue whose workers do the jobs, and its name. */
  readonly redis?: string
  readonly queue?: string
}

/** Options of `antipode eval work`. */
export interface EvalWorkOptions extends EvalContext {
  readonly redis: string
  readonly queue?: string
  readonly idle?: number
}

/** Options of `antipode eval merge`. */
export interface EvalMergeOptions extends EvalContext {
  readonly out: string
  /** Folders of runs, or of their results. */
  readonly from: readonly string[]
}

/** Where an evaluation is, or how many jobs of a share are done. */
export interface EvalResult {
  readonly jobs: number
  readonly report?: string
  readonly data?: string
}

/** Runs what has no result yet, and reports unless it was a share. */
export async function runEval(options: EvalRunOptions): Promise<EvalResult> {
  const { out, shard, redis, queue, progress, signal } = options
  const settings = await readEvalSettings(options.study)
  const study = await studyOf(settings)
  const store = directoryStore(join(out, 'results'))
  // The queue's workers have devices of their own.
  await using scorer = redis === undefined ? await (await evaluatedOf(settings)).open(settings, signal) : undefined
  const steps = scorer
    ? runStudy(study, { score: scorer.score, store, signal, ...(shard ? { shard } : {}) })
    : queueStudy(study, { url: redis ?? '', ...(queue ? { name: queue } : {}), store, signal })
  let jobs = 0
  let phase: ReturnType<Progress['phase']> | undefined
  for await (const { total, known } of steps) {
    phase ??= progress.phase(shard ? `share ${shard.index + 1} of ${shard.of}` : 'sampling and scoring', total)
    phase.advance(1, known ? 'known' : '')
    jobs++
  }
  phase?.done()
  return shard ? { jobs } : await report(settings, study, { out, from: [out], jobs, version: options.version })
}

/** Does jobs of a queue until there are none for a while. */
export async function runEvalWork(options: EvalWorkOptions): Promise<EvalResult> {
  const { redis, queue, idle, progress, signal } = options
  const settings = await readEvalSettings(options.study)
  const study = await studyOf(settings)
  await using scorer = await (await evaluatedOf(settings)).open(settings, signal)
  const tasks = new Set((study.seedTasks ?? []).map((one) => JSON.stringify([study.task, one])))
  const score: ScoreJob = (job, aborted) => {
    if (tasks.has(JSON.stringify(job.task))) return scorer.score(job, aborted)
    throw new UsageError(
      `eval work: expected a job of ${options.study}, got one of other settings or files; give all workers the same ones`,
    )
  }
  let jobs = 0
  const phase = progress.phase('working', 1)
  await workOnStudy({
    url: redis, score, signal, ...(queue ? { name: queue } : {}), ...(idle === undefined ? {} : { idle }),
    onJob: () => { phase.advance(0, `${++jobs} jobs`) },
  })
  phase.done()
  return { jobs }
}

/** Reports what shares have found. */
export async function runEvalMerge(options: EvalMergeOptions): Promise<EvalResult> {
  const settings = await readEvalSettings(options.study)
  const study = await studyOf(settings)
  return await report(settings, study, { out: options.out, from: options.from, jobs: 0, version: options.version })
}

async function evaluatedOf({ model }: EvalSettings): Promise<Evaluated> {
  return isDigits(model)
    ? (await import('./digits-scorer.ts')).digitsEvaluated
    : (await import('./pictures-scorer.ts')).picturesEvaluated
}

async function studyOf(settings: EvalSettings): Promise<Study> {
  const { arms, scales, seeds, items, batch } = settings
  const task = await (await evaluatedOf(settings)).task(settings)
  return {
    // Guidance of scale 1 is the positive branch alone.
    task, seedTasks: await seedTasksOf(settings), arms, scales, unguided: 1, seeds, items, batch,
    clusters: bySeed(settings) ? 'seed' : 'item',
  }
}

interface ReportOptions {
  readonly out: string
  readonly from: readonly string[]
  readonly jobs: number
  readonly version: string
}

async function report(settings: EvalSettings, study: Study, { out, from, jobs, version }: ReportOptions): Promise<EvalResult> {
  const { table, selection } = await gatherStudy(study, from.flatMap((folder) => [directoryStore(join(folder, 'results')), directoryStore(folder)]))
  const [first, ...others] = Object.keys(settings.arms) as [string, ...string[]] // a study has one
  const pairs = settings.pairs ?? others.map((arm) => [arm, first] as const)
  const comparison = compareArms(table, selection, { ...settings.bootstrap, pairs })
  await mkdir(out, { recursive: true })
  const paths = { report: join(out, 'evaluation.html'), data: join(out, 'evaluation.json') }
  // No dates, times or names of machines: equal results are equal bytes, whoever found them.
  const document = { version, study, comparison }
  await writeFile(paths.data, `${JSON.stringify(document, null, 1)}\n`)
  await writeFile(paths.report, evalPage(document))
  return { jobs, ...paths }
}
