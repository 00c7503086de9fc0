import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { CheckpointError } from '../index.ts'
import { encodeSafetensors, fileAside, writeSafetensors } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'antipode-aside-'))
afterAll(() => { rmSync(folder, { recursive: true }) })
const path = join(folder, 'run.safetensors')
const version = (value: number) => [{ name: 'x', dtype: 'F32', shape: [1], data: Float32Array.of(value) }] as const
const holds = (value: number): boolean => readFileSync(path).equals(encodeSafetensors(version(value)))

test('a file is had again as it was when it was first kept', async () => {
  const aside = fileAside('test', path, 'good')
  await aside.keep()
  expect(await aside.restore()).toBe(false)
  await writeSafetensors(path, version(1))
  await aside.keep()
  await writeSafetensors(path, version(2))
  await aside.keep()
  await writeSafetensors(path, version(3))
  expect(holds(3)).toBe(true)
  // As another process would find it.
  expect(await fileAside('test', path, 'good').restore()).toBe(true)
  expect([holds(1), existsSync(`${path}.good`)]).toEqual([true, false])
})

test('what is let go of is not had again', async () => {
  const aside = fileAside('test', path, 'good')
  await aside.keep()
  await aside.drop()
  await aside.drop()
  expect(await aside.restore()).toBe(false)
  await expect(fileAside('test', join(path, 'no-folder'), 'good').drop()).rejects.toThrow(CheckpointError)
})
