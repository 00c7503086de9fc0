import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { ConfigError } from '@antipode/core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareArms } from '../evaluation/index.ts'
import { directoryStore } from './directory-store.ts'
import { gatherStudy } from './gather.ts'
import { queueStudy, workOnStudy } from './queue.ts'
import { runStudy } from './run-study.ts'
import { toyScores, toyStudy } from './testing/toy-study.ts'

const present = spawnSync('redis-server', ['--version']).status === 0

describe.runIf(present)('a queue of jobs on redis-server', () => {
  let folder: string, server: ChildProcess, url: string
  beforeAll(async () => {
    // Below a package, whose libraries what is bundled there finds.
    folder = mkdtempSync(join(import.meta.dirname, '../../node_modules/.queue-'))
    await bundle(`${import.meta.dirname}/testing/toy-worker.ts`, folder)
    const port = await freePort()
    url = `redis://127.0.0.1:${port}`
    server = spawn('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: 'ignore' })
  })
  afterAll(() => {
    server.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  const comparison = async (name: string): Promise<string> => {
    const { table, selection } = await gatherStudy(toyStudy, [directoryStore(join(folder, name))])
    return JSON.stringify(compareArms(table, selection, { seed: 1, samples: 50, pairs: [['npo', 'base']] }))
  }
  const whole = async (): Promise<string> => {
    for await (const _ of runStudy(toyStudy, { score: toyScores, store: directoryStore(join(folder, 'whole')) }));
    return await comparison('whole')
  }

  test('three workers, one of them killed in the middle of a job again and again, give what one process gives', async () => {
    const name = 'killed'
    const work = (): ChildProcess =>
      spawn(process.execPath, [join(folder, 'toy-worker.js'), url, name, '60', '1'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const workers = Array.from({ length: 3 }, work)
    const over = new AbortController()
    let kills = 0
    // A worker that has just told of a job is in the middle of its next.
    const killing = (async () => {
      for (; kills < 5 && !over.signal.aborted; kills++) {
        const at = kills % workers.length
        const victim = workers[at]!
        await once(victim.stdout!, 'data', { signal: over.signal }) // a pipe, as asked for
        victim.kill('SIGKILL')
        await once(victim, 'exit')
        workers[at] = work()
      }
    })().catch((error: unknown) => { if (!over.signal.aborted) throw error })
    const ids: string[] = []
    try {
      for await (const { id } of queueStudy(toyStudy, { url, name, store: directoryStore(join(folder, name)), every: 0.05 })) ids.push(id)
    } finally {
      over.abort()
      for (const worker of workers) worker.kill('SIGKILL')
      await killing
    }
    expect(kills).toBeGreaterThan(0)
    expect(new Set(ids).size).toBe(ids.length)
    expect(await comparison(name)).toBe(await whole())
  })

  test('an interrupted run takes up its jobs where they stand, and asks for none twice', async () => {
    const name = 'interrupted'
    let scored = 0
    const stop = new AbortController()
    const working = workOnStudy({ url, name, score: (job) => { scored++; return toyScores(job) }, signal: stop.signal })
    const store = directoryStore(join(folder, name))
    const steps: number[] = []
    for await (const { done } of queueStudy(toyStudy, { url, name, store })) if (steps.push(done) === 10) break
    for await (const { done } of queueStudy(toyStudy, { url, name, store })) steps.push(done)
    stop.abort()
    await working
    expect(steps.at(-1)).toBe(80)
    expect(scored).toBe(80)
    expect(await comparison(name)).toBe(await whole())
  })

  test('a job that fails says why', async () => {
    const name = 'failing'
    const stop = new AbortController()
    const working = workOnStudy({ url, name, signal: stop.signal, score: () => { throw new Error('the judge is asleep') } })
    const steps = queueStudy(toyStudy, { url, name, store: directoryStore(join(folder, name)) })
    await expect(steps.next()).rejects.toThrow(/failed 3 times: the judge is asleep/)
    stop.abort()
    await working
  })

  test('work ends by itself after a while without a job', async () => {
    await workOnStudy({ url, name: 'idle', score: toyScores, idle: 0.2 })
  })
})

test('without a server, the error says where none was found', async () => {
  const url = `redis://127.0.0.1:${await freePort()}`
  const steps = queueStudy(toyStudy, { url, store: directoryStore('none') })
  await expect(steps.next()).rejects.toThrow(ConfigError)
  await expect(workOnStudy({ url, score: toyScores })).rejects.toThrow(`expected a Redis-compatible server at ${url}`)
})

/** One file of a program and our packages' sources: started again and again, it must start at once. */
async function bundle(entry: string, folder: string): Promise<void> {
  await build({
    configFile: false, logLevel: 'error', resolve: { conditions: ['@antipode/source', 'node'] },
    ssr: { noExternal: [/^@antipode/], resolve: { conditions: ['@antipode/source', 'node'] } },
    build: { ssr: entry, outDir: folder, emptyOutDir: false, minify: false, target: 'node20' },
  })
}

async function freePort(): Promise<number> {
  const listening = createServer()
  await new Promise<void>((resolve) => { listening.listen(0, '127.0.0.1', resolve) })
  const { port } = listening.address() as { port: number } // of TCP
  await new Promise((resolve) => { listening.close(resolve) })
  return port
}
