import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digitsBase } from '@antipode/digits'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { UsageError } from '../usage-error.ts'
import { readBaseFile } from './base-file.ts'
import { checkBench, checkDemo, checkTrainBase, checkTrainPreference, shippedModels } from './checks.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'antipode-checks-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })
const at = (name: string): string => join(folder, name)

const refusal = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(() => undefined, (thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(UsageError)
  return (error as UsageError).message
}

test('what a command writes is given a folder, in which nothing else is left', async () => {
  await checkTrainBase({ out: at('a/b/digits-16.safetensors') })
  expect(readdirSync(at('a/b'))).toEqual([])
  await checkDemo({ model: 'digits-16', out: at('demo') })
  expect(readdirSync(at('demo')).sort()).toEqual(['adapters', 'work'])
  await checkBench({ trace: at('traces/t.json') })
  expect(readdirSync(at('traces'))).toEqual([])
  await checkBench({ trace: '/dev/null' })
})

test.runIf(existsSync('/proc'))('a folder that nobody can make is refused at once', { timeout: 5000 }, async () => {
  const got = 'got /proc/nope/a: no folder can be made there; choose another'
  expect(await refusal(checkTrainBase({ out: '/proc/nope/a/x.safetensors' }))).toBe(`train base: expected --out to be a folder that can be written, ${got}`)
  expect(await refusal(checkDemo({ model: 'digits-16', out: '/proc/nope/a' }))).toContain(got)
  expect(await refusal(checkBench({ trace: '/proc/nope/a/t.json' }))).toContain(got)
})

test('a file where a folder would be, and a folder where a file would be, are refused', async () => {
  writeFileSync(at('file'), '')
  expect(await refusal(checkDemo({ model: 'digits-16', out: at('file') }))).toContain('a file stands where a folder would be')
  expect(await refusal(checkTrainBase({ out: at('file/x.safetensors') }))).toContain('a file stands where a folder would be')
  for (const name of ['x.safetensors', 'y.safetensors.json', 'z.safetensors.run', 'report.html']) mkdirSync(at(name))
  for (const name of ['x', 'y', 'z']) {
    expect(await refusal(checkTrainBase({ out: at(`${name}.safetensors`) }))).toContain('a folder stands where the file would be')
  }
  expect(await refusal(checkDemo({ model: 'digits-16', out: folder }))).toContain(`got ${at('report.html')}: a folder`)
  expect(await refusal(checkBench({ trace: folder }))).toContain('a folder stands where the file would be')
})

test('links in a circle and names too long are refused in words', async () => {
  symlinkSync(at('loop'), at('loop'))
  expect(await refusal(checkDemo({ model: 'digits-16', out: at('loop/x') }))).toContain('its links lead in a circle')
  expect(await refusal(checkDemo({ model: 'digits-16', out: at('x'.repeat(300)) }))).toContain('the name is too long')
})

test.runIf(existsSync('/dev/full'))('a device is no folder', async () => {
  expect(await refusal(checkTrainBase({ out: '/dev/full/x.safetensors' }))).toContain('a file stands where a folder would be')
})

test('a model without a base of ours needs one of the user\'s', async () => {
  expect(shippedModels).toEqual(Object.keys(digitsBase))
  expect(await refusal(checkDemo({ model: 'digits-28', out: at('out') }))).toContain('expected --base FILE with --model digits-28')
  expect(existsSync(at('out'))).toBe(false)
})

const header = new TextEncoder().encode('{"a":1}')
const bytes = new Uint8Array(8 + header.length + 4)
bytes[0] = header.length
bytes.set(header, 8)
const cardOf = (content: Uint8Array): object => ({ model: 'digits-16', sha256: createHash('sha256').update(content).digest('hex'), recipe: {} })

test('a base is a file, and the card beside it describes that file', async () => {
  const base = at('base.safetensors')
  const read = (): Promise<unknown> => readBaseFile('digits-16', base)
  expect(await refusal(read())).toContain(`got nothing at ${base}; make one with`)
  mkdirSync(base)
  expect(await refusal(read())).toContain('got a folder at')
  rmSync(base, { recursive: true })
  writeFileSync(base, bytes)
  expect(await refusal(read())).toContain(`got nothing at ${base}.json`)
  for (const text of ['', '[]', 'null', '{"model":"digits-16"}']) {
    writeFileSync(`${base}.json`, text)
    expect(await refusal(read()), text).toContain(`got another file at ${base}.json`)
  }
  writeFileSync(`${base}.json`, JSON.stringify(cardOf(bytes)))
  expect(await read()).toEqual({ bytes, card: cardOf(bytes) })
  expect(await refusal(readBaseFile('digits-28', base))).toContain('pass --model digits-16')
  writeFileSync(base, bytes.map((b, i) => (i === bytes.length - 1 ? b + 1 : b)))
  expect(await refusal(read())).toContain('while its card has')
  writeFileSync(base, 'PK\u0003\u0004 no safetensors')
  expect(await refusal(read())).toContain('a file that is not safetensors')
})

test.runIf(existsSync('/dev/zero'))('a device in place of a base is refused and not read', { timeout: 5000 }, async () => {
  symlinkSync('/dev/zero', at('zero'))
  expect(await refusal(readBaseFile('digits-16', at('zero')))).toContain('no regular file')
})

test('training on preferences wants a model and pairs that are there, and room for its results', async () => {
  writeFileSync(at('pairs.jsonl'), '')
  const files = (model: string, pairs: string, out = at('out')): Parameters<typeof checkTrainPreference>[0] =>
    ({ settings: { negated: true, model, pairs }, out, cache: at('cache') })
  expect(await refusal(checkTrainPreference(files(at('none'), at('pairs.jsonl'))))).toBe(`train npo: expected --model to be a file or a folder, got nothing at ${at('none')}`)
  expect(await refusal(checkTrainPreference(files(folder, at('none'))))).toContain('expected --pairs to be a file or a folder')
  expect(await refusal(checkTrainPreference(files(folder, folder, at('pairs.jsonl/x'))))).toContain('expected --out to be a folder that can be written')
  await checkTrainPreference(files('https://example.org/model', at('pairs.jsonl')))
  expect(readdirSync(at('out'))).toEqual([])
})
