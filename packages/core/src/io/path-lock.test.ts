import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CheckpointError } from '../errors.ts'
import { lockPath } from './path-lock.ts'
import { writeSafetensors } from './write-safetensors.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'antipode-lock-'))
  path = join(folder, 'run.safetensors')
})
afterEach(() => { rmSync(folder, { recursive: true }) })

/** The number of a process that has ended. */
const deadPid = (): number => spawnSync(process.execPath, ['--version']).pid

/** Lays a file as another process would, and gives its name; an age in minutes. */
function lay(parts: { machine?: string; pid?: number; start?: number; purpose?: string; age?: number }, own: string): string {
  const [, ownMachine = '', ownPid, ownStart] = /\.([0-9a-f]{12})-(\d+)-(\d+)\./.exec(own) ?? []
  const { machine = ownMachine, pid = ownPid, start = ownStart, purpose = 'tmp', age = 0 } = parts
  const name = `.run.safetensors.${machine}-${pid}-${start}.${crypto.randomUUID().slice(0, 8)}.${purpose}`
  writeFileSync(join(folder, name), 'x')
  const then = new Date(Date.now() - age * 60_000)
  utimesSync(join(folder, name), then, then)
  return name
}

/** The name of this process's lock, from which those of others are made. */
async function ownName(): Promise<string> {
  await using lock = await lockPath('test', path)
  await lock.check()
  return readdirSync(folder)[0] ?? ''
}

test.skipIf(process.platform !== 'linux')('a save removes what dead processes left of saves of the same file, and nothing of living ones', async () => {
  const own = await ownName()
  const elsewhere = '0123456789ab'
  const dead = [
    lay({ pid: deadPid() }, own),
    lay({ pid: deadPid(), purpose: 'lock' }, own),
    // The number is in use again, by a process that began at another time.
    lay({ start: 1 }, own),
    lay({ machine: elsewhere, pid: 1, age: 6 }, own),
  ]
  const kept = [
    lay({ age: 6000 }, own),
    lay({ machine: elsewhere, pid: 1, age: 4 }, own),
    lay({ machine: elsewhere, pid: 1, age: -9 }, own),
  ]
  for (const name of ['.run.safetensors.tmp', `.run.safetensors.${crypto.randomUUID()}.tmp`, lay({ pid: deadPid() }, own).replace('.run.', '.other.')]) {
    writeFileSync(join(folder, name), 'x')
    kept.push(name)
  }
  await writeSafetensors(path, [])
  const left = readdirSync(folder)
  expect(left.filter((name) => dead.includes(name))).toEqual([])
  expect(left.toSorted()).toEqual(['run.safetensors', ...kept].toSorted())
})

test('a path is held by one at a time, and the error says by whom', async () => {
  const lock = await lockPath('train', path)
  const error = await lockPath('train', path).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(CheckpointError)
  for (const part of [path, `process ${process.pid}`, `on ${hostname()}`, `since ${new Date().getFullYear()}-`, '(this one) at it', 'choose another path']) {
    expect(String(error)).toContain(part)
  }
  // Another path of the same folder is free.
  await (await lockPath('train', join(folder, 'other.safetensors')))[Symbol.asyncDispose]()
  await lock.check()
  await lock[Symbol.asyncDispose]()
  await using again = await lockPath('train', path)
  await again.check()
})

test('of those that come at once, one holds the path', async () => {
  const all = await Promise.allSettled(Array.from({ length: 3 }, () => lockPath('train', path)))
  const held = all.filter((one) => one.status === 'fulfilled')
  expect(held.length).toBe(1)
  for (const { value } of held) await value[Symbol.asyncDispose]()
  expect(readdirSync(folder)).toEqual([])
})

test('a lock dies with its process; one of another machine holds while it shows life', async () => {
  const own = await ownName()
  lay({ pid: deadPid(), purpose: 'lock' }, own)
  await (await lockPath('train', path))[Symbol.asyncDispose]()
  const far = lay({ machine: '0123456789ab', pid: 7, purpose: 'lock', age: 1 }, own)
  await expect(lockPath('train', path)).rejects.toThrow(/got process 7 at it; .*; if it runs no more, delete ".*lock", or wait five minutes/)
  unlinkSync(join(folder, far))
  lay({ machine: '0123456789ab', pid: 7, purpose: 'lock', age: 6 }, own)
  await (await lockPath('train', path))[Symbol.asyncDispose]()
  expect(readdirSync(folder)).toEqual([])
})

test('a lock that was removed holds no more, and says so before anything is written', async () => {
  await using lock = await lockPath('train', path)
  for (const name of readdirSync(folder)) unlinkSync(join(folder, name))
  await expect(lock.check()).rejects.toThrow(/train: expected to hold .*, got no lock of this process any more/)
})

test('a folder that is not there is a CheckpointError', async () => {
  await expect(lockPath('train', join(folder, 'no', 'run'))).rejects.toThrow(/no such folder; create it first/)
})
