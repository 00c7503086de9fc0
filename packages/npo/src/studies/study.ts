import { ConfigError } from '@antipode/core'
import { anObject, checkOptions, finite, listOf, oneOf, type Range, required, whole } from '@antipode/core/options'
import type { OffsetWeights } from '../offsets/index.ts'

/** Anything that JSON holds. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Weights of adapters by name on either branch of guidance; a branch without them is the base. */
export interface StudyArm {
  readonly positive?: OffsetWeights
  readonly negative?: OffsetWeights
}

/** What noises are for: comparing arms, or choosing the scale that is best for each of them. */
export type NoiseSet = 'evaluation' | 'selection'

/**
 * An experiment as plain data: arms × scales × seeds × items. Item i of a seed is one condition and one initial noise,
 * the same for every arm and scale, so that arms are compared in pairs.
 */
export interface Study {
  /**
   * All else that scores depend on: digests of models and adapters, prompts, solver, steps, metrics. Jobs of equal tasks
   * are the same jobs, also in other studies.
   */
  readonly task: Json
  /** What the scores of a seed depend on beside the task, seed by seed, such as adapters that were trained with it. */
  readonly seedTasks?: readonly Json[]
  readonly arms: Readonly<Record<string, StudyArm>>
  /** Guidance scales. */
  readonly scales: readonly number[]
  /** The scale at which the negative branch does not act, if there is one: arms that share their positive share it. */
  readonly unguided?: number
  readonly seeds: readonly number[]
  /** Items of each seed, 1 or more. */
  readonly items: Readonly<Record<NoiseSet, number>>
  /** Items of a job, 1 or more. */
  readonly batch: number
  /** What resembles each other, see `EvaluationTable`. */
  readonly clusters?: 'seed' | 'item'
}

/** The smallest share of a study: some items of one arm, scale and seed. */
export interface StudyJob {
  readonly task: Json
  readonly positive: OffsetWeights
  readonly negative: OffsetWeights
  readonly scale: number
  readonly seed: number
  readonly noises: NoiseSet
  /** Items from the first to before the last. */
  readonly from: number
  readonly to: number
}

/** A job under the SHA-256 of what it is, as hexadecimal digits. */
export interface NamedJob {
  readonly id: string
  readonly job: StudyJob
}

/** What a job gave: for each metric one finite number an item. */
export type JobScores = Readonly<Record<string, readonly number[]>>

const distinct = (range: Range): Range => ({
  expected: `${listOf(range).expected}, at least one and none twice`,
  accepts: (v) => listOf(range).accepts(v) && (v as unknown[]).length > 0 && new Set(v as unknown[]).size === (v as unknown[]).length,
})
const arms: Range = {
  expected: 'arms by name, at least one', accepts: (v) => typeof v === 'object' && v !== null && Object.keys(v).length > 0,
}
const json: Range = { expected: 'what JSON holds', accepts: (v) => v !== undefined && JSON.stringify(v) !== undefined }
const weights: Range = {
  expected: 'finite weights by name',
  accepts: (v) => typeof v === 'object' && v !== null && Object.values(v).every(Number.isFinite),
}

/** @throws {ConfigError} if a part of a study is unknown or outside its range, or an arm is none */
export function checkStudy(where: string, study: Study): void {
  checkOptions(where, study, {
    task: required(json), seedTasks: listOf(json), arms: required(arms), scales: required(distinct(finite)), unguided: finite,
    seeds: required(distinct(whole(0))), items: required(anObject('numbers of items')), batch: required(whole(1)),
    clusters: oneOf('seed', 'item'),
  })
  const { seeds, seedTasks = seeds } = study
  if (seedTasks.length !== seeds.length) {
    throw new ConfigError(`${where}: expected seedTasks of ${seeds.length} seeds, got ${seedTasks.length}; give one for each`)
  }
  checkOptions(`${where}: items`, study.items, { evaluation: required(whole(2)), selection: required(whole(1)) })
  for (const [name, arm] of Object.entries(study.arms)) {
    checkOptions(`${where}: arm ${name}`, arm, { positive: weights, negative: weights })
  }
}

/**
 * All jobs of a study, each once, in an order that depends on the study alone. Jobs that several arms have in common,
 * such as those where guidance does not act, occur once.
 * @throws {ConfigError} if the study is none
 */
export async function jobsOf(study: Study): Promise<NamedJob[]> {
  checkStudy('jobsOf', study)
  const jobs = new Map<string, StudyJob>()
  for (const seed of study.seeds) {
    for (const noises of ['selection', 'evaluation'] as const) {
      for (const scale of study.scales) {
        for (const arm of Object.keys(study.arms)) {
          for (const job of cellJobs(study, { arm, scale, seed, noises })) jobs.set(await nameOf(job), job)
        }
      }
    }
  }
  return [...jobs].map(([id, job]) => ({ id, job }))
}

/** One arm at one scale on the noises of one seed. */
export interface StudyCell {
  readonly arm: string
  readonly scale: number
  readonly seed: number
  readonly noises: NoiseSet
}

/** The jobs of a cell, in the order of their items. */
export function cellJobs(study: Study, { arm, scale, seed, noises }: StudyCell): StudyJob[] {
  const { arms: all, items, batch, unguided, seeds, seedTasks } = study
  const { positive = {}, negative = {} } = all[arm] ?? {}
  const count = items[noises]
  const task = seedTasks ? [study.task, seedTasks[seeds.indexOf(seed)] ?? null] : study.task
  return Array.from({ length: Math.ceil(count / batch) }, (_, i) => ({
    task, positive, negative: scale === unguided ? {} : negative, scale, seed, noises,
    from: i * batch, to: Math.min((i + 1) * batch, count),
  }))
}

/** SHA-256 of a job's JSON with keys in order. */
export async function nameOf(job: StudyJob): Promise<string> {
  const bytes = new TextEncoder().encode(canonical(job as unknown as Json)) // an interface of JSON, which has no index
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** JSON in which equal values have equal text. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(',')}}`
}

/** Jobs i, i + n, i + 2·n, … of all jobs: the share of one of n machines. */
export interface Shard {
  /** From 0 to `of` − 1. */
  readonly index: number
  readonly of: number
}

/** @throws {ConfigError} unless index and number are whole and fit each other */
export function shardOf<T>(jobs: readonly T[], { index, of }: Shard): T[] {
  if (!(Number.isSafeInteger(of) && of >= 1 && Number.isSafeInteger(index) && index >= 0 && index < of)) {
    throw new ConfigError(`shardOf: expected a share from 0 to n − 1 of n, got ${index} of ${of}; number shares from 0`)
  }
  return jobs.filter((_, i) => i % of === index)
}
