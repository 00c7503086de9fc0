import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { tuningTable } from '@antipode/kernels-wgsl'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ConfigError } from '../errors.ts'
import { cachePath } from './gpu.node.ts'
import { parseTuning, saveTuned, savedTuning, tuningFile, tuningText } from './tuning.ts'

const row = tuningTable.lavapipe
const packing = { buffer: 0.1, texture: 0.02, element: 3, dispatches: 0 }
const adapter = 'mesa  llvmpipe Mesa 25.0.7'
const key = { adapter, kernels: '1.2.3' }
const text = tuningText(key, { packing, measured: 'here' })

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'antipode-tuning-'))
  vi.stubEnv('XDG_CACHE_HOME', folder)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

test('what is saved is what the next device goes by, of the same adapter alone', async () => {
  expect(await savedTuning(adapter, row)).toBe(row)
  const path = await saveTuned(adapter, { packing, measured: 'here' })
  expect(path.startsWith(join(folder, 'antipode'))).toBe(true)
  expect(readdirSync(join(folder, 'antipode')).length).toBe(1)
  expect(await savedTuning(adapter, row)).toEqual({ ...row, packing, measured: 'here' })
  expect(await savedTuning('another', row)).toBe(row)
  await saveTuned(adapter, { packing: null, measured: 'again' })
  expect((await savedTuning(adapter, row)).packing).toBe(null)
})

test.each([
  ['truncated', text.slice(0, 40), 'what is not JSON'],
  ['a list', '[]', 'no object'],
  ['of another schema', text.replace('"schemaVersion": 1', '"schemaVersion": 9'), 'schema version 9'],
  ['of another adapter', tuningText({ ...key, adapter: 'nvidia' }, { packing, measured: '' }), 'that of "nvidia"'],
  ['of other kernels', tuningText({ ...key, kernels: '1.2.4' }, { packing, measured: '' }), 'that of version 1.2.4'],
  ['with a cost missing', text.replace(/"element": 3,\s*/, ''), 'costs of packing'],
  ['with a negative cost', text.replace('"element": 3', '"element": -3'), 'costs of packing'],
  ['with a cost that is no number', text.replace('"element": 3', '"element": "3"'), 'costs of packing'],
  ['with a cost beyond numbers', text.replace('"element": 3', '"element": 1e999'), 'costs of packing'],
])('a file %s is refused, by its name and with what to do', (_name, damaged, got) => {
  const parse = (): unknown => parseTuning(damaged, '/cache/tuning.json', key, row)
  expect(parse).toThrow(ConfigError)
  expect(parse).toThrow(`in /cache/tuning.json, got ${got}`)
  expect(parse).toThrow('delete the file')
})

test('a file that is a folder, and a cache that cannot be written, are told by name', async () => {
  const path = await saveTuned(adapter, { packing, measured: 'here' })
  expect(readFileSync(path, 'utf8')).toContain('"buffer": 0.1')
  writeFileSync(join(folder, 'file'), '')
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'file'))
  await expect(saveTuned(adapter, { packing, measured: 'here' })).rejects.toThrow(join(folder, 'file'))
  await expect(savedTuning(adapter, row)).resolves.toBe(row)
})

test.runIf(existsSync('/proc'))('a cache that nobody can make is told at once', { timeout: 5000 }, async () => {
  vi.stubEnv('XDG_CACHE_HOME', '/proc/nope')
  await expect(saveTuned(adapter, { packing, measured: 'here' })).rejects.toThrow(ConfigError)
})

test('a write that fails leaves nothing behind', async () => {
  const path = await saveTuned(adapter, { packing, measured: 'here' })
  rmSync(path)
  mkdirSync(path)
  await expect(saveTuned(adapter, { packing, measured: 'again' })).rejects.toThrow(ConfigError)
  expect(readdirSync(join(folder, 'antipode'))).toEqual([basename(path)])
})

test('names of files tell adapters apart and fit every file system', () => {
  expect(tuningFile(key)).toMatch(/^tuning-mesa-llvmpipe-mesa-25-0-7-[0-9a-f]{8}-1\.2\.3\.json$/)
  expect(tuningFile({ ...key, adapter: 'a b' })).not.toBe(tuningFile({ ...key, adapter: 'a.b' }))
  expect(tuningFile({ ...key, adapter: 'x'.repeat(999) }).length).toBeLessThan(120)
})

test('a relative XDG_CACHE_HOME is ignored', () => {
  vi.stubEnv('XDG_CACHE_HOME', 'here')
  expect(cachePath('x')).not.toContain(join('here', 'antipode'))
  expect(cachePath('x')).toMatch(/antipode.x$/)
})
