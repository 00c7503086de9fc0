import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, NumericError, ShapeError } from '@antipode/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compareArms } from '../evaluation/index.ts'
import { directoryStore } from './directory-store.ts'
import { gatherStudy } from './gather.ts'
import { runStudy, type ScoreJob } from './run-study.ts'
import { canonical, jobsOf, type Study } from './study.ts'
import { toyScores, toyStudy } from './testing/toy-study.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'antipode-study-')) })
afterEach(() => { rmSync(folder, { recursive: true, force: true }) })

/** Runs a study to its end, and gives the ids of the jobs that were scored and not known. */
async function run(name: string, options: { score?: ScoreJob; shard?: { index: number; of: number } } = {}): Promise<string[]> {
  const scored: string[] = []
  const store = directoryStore(join(folder, name))
  for await (const step of runStudy(toyStudy, { score: toyScores, store, ...options })) if (!step.known) scored.push(step.id)
  return scored
}

const comparison = async (...names: string[]): Promise<string> => {
  const { table, selection } = await gatherStudy(toyStudy, names.map((name) => directoryStore(join(folder, name))))
  return JSON.stringify(compareArms(table, selection, { seed: 1, samples: 50, pairs: [['npo', 'base']] }))
}

describe('jobs of a study', () => {
  test('cover every item of every cell once, and those that arms share occur once', async () => {
    const jobs = await jobsOf(toyStudy)
    // 3 arms × 2 scales, and 2 positives at the scale without guidance; 3 + 2 batches of 10 and 5 items; 2 seeds.
    expect(jobs).toHaveLength((3 * 2 + 2) * (3 + 2) * 2)
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(jobs.length)
    const last = jobs.filter(({ job }) => job.noises === 'evaluation' && job.scale === 4 && job.seed === 5 && job.positive['eta'] === 1)
    expect(last.map(({ job }) => [job.from, job.to])).toEqual([[0, 4], [4, 8], [8, 10]])
  })

  test('are named by what they are: by equal values in any order of keys, and otherwise by no other', async () => {
    const ids = async (study: Study): Promise<string[]> => (await jobsOf(study)).map(({ id }) => id)
    const before = await ids(toyStudy)
    const { task: _task, ...rest } = toyStudy
    expect(await ids({ ...rest, task: { height: { npo: 0.2, base: 0 }, kind: 'toy' } })).toEqual(before)
    expect((await ids({ ...toyStudy, task: 'other' })).filter((id) => before.includes(id))).toEqual([])
    const more = await ids({ ...toyStudy, seeds: [3, 5, 7], seedTasks: ['a', 'b', 'c'] })
    expect((await ids({ ...toyStudy, seedTasks: ['a', 'b'] })).every((id) => more.includes(id))).toBe(true)
    expect(canonical({ b: [1, { d: null, c: 'x' }], a: true })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}')
  })

  test.each([
    [{ scales: [] }, /scales/], [{ scales: [1, 1] }, /scales/], [{ arms: {} }, /arms/], [{ batch: 0 }, /batch/], [{ seeds: [0.5] }, /seeds/],
    [{ items: { evaluation: 1, selection: 1 } }, /evaluation/], [{ arms: { a: { negativ: {} } } }, /negativ/], [{ task: undefined }, /task/],
    [{ arms: { a: { negative: { delta: Number.NaN } } } }, /negative/], [{ speed: 1 }, /speed/], [{ seedTasks: ['a'] }, /seedTasks of 2 seeds, got 1/],
  ])('a study with %j is refused by name', async (change, message) => {
    const study = { ...toyStudy, ...change } as Study
    await expect(jobsOf(study)).rejects.toThrow(ConfigError)
    await expect(jobsOf(study)).rejects.toThrow(message)
  })
})

describe('a run of a study', () => {
  test('goes on where it was stopped, and the whole is that of an uninterrupted run', async () => {
    const whole = await run('whole')
    let left = 7
    const stopping: ScoreJob = (job) => {
      if (left-- === 0) throw new Error('power cut')
      return toyScores(job)
    }
    await expect(run('cut', { score: stopping })).rejects.toThrow('power cut')
    expect(await run('cut')).toHaveLength(whole.length - 7)
    expect(await run('cut')).toEqual([])
    expect(await comparison('cut')).toBe(await comparison('whole'))
  })

  test('in shards is that of one process, in whatever order shards come', async () => {
    await run('whole')
    const shares = []
    for (const index of [2, 0, 1]) shares.push(...(await run(`shard${index}`, { shard: { index, of: 3 } })))
    expect(new Set(shares).size).toBe((await jobsOf(toyStudy)).length)
    expect(await comparison('shard1', 'shard2', 'shard0')).toBe(await comparison('whole'))
    await expect(comparison('shard0', 'shard2')).rejects.toThrow(/got none of 2\d, the first of them items/)
    await expect(run('x', { shard: { index: 3, of: 3 } })).rejects.toThrow(ConfigError)
  })

  test('replaces a result that a disk has damaged, or that lies under another name', async () => {
    await run('whole')
    const before = await comparison('whole')
    const [first = '', second = ''] = readdirSync(join(folder, 'whole')).map((name) => join(folder, 'whole', name))
    const intact = [readFileSync(first), readFileSync(second)] as const
    writeFileSync(first, intact[0].subarray(0, 40))
    writeFileSync(second, intact[0])
    expect(await run('whole')).toHaveLength(2)
    expect(readFileSync(first).equals(intact[0]) && readFileSync(second).equals(intact[1])).toBe(true)
    expect(await comparison('whole')).toBe(before)
  })

  test('stores nothing that is not finite, of another number, or without a judge', async () => {
    await expect(run('bad', { score: (job) => ({ judge: toyScores(job)['judge']!.map(() => Number.NaN) }) })).rejects.toThrow(NumericError)
    await expect(run('bad', { score: () => ({ judge: [1] }) })).rejects.toThrow(ShapeError)
    await expect(run('bad', { score: (job) => ({ reward: toyScores(job)['judge']! }) })).rejects.toThrow(/a metric named judge, got reward/)
    expect(existsSync(join(folder, 'bad'))).toBe(false)
  })

  test('stops at an aborted signal', async () => {
    const controller = new AbortController()
    const steps = runStudy(toyStudy, { score: toyScores, store: directoryStore(join(folder, 'a')), signal: controller.signal })
    await steps.next()
    controller.abort(new Error('enough'))
    await expect(steps.next()).rejects.toThrow('enough')
  })
})
