import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { placeExampleFiles } from '../../scripts/example-files.mjs'
import { guidePrograms } from './programs.ts'

const folder = join(import.meta.dirname, '../dist/guides')
mkdirSync(folder, { recursive: true })

// What programs open and write is where they run.
const [start, work] = [process.cwd(), join(folder, 'files')]
beforeAll(() => {
  placeExampleFiles(work)
  process.chdir(work)
})
afterAll(() => { process.chdir(start) })

test.each(guidePrograms())('the program of the guide $name runs and prints what it says', async ({ name, code, prints }) => {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((...parts: unknown[]) => void lines.push(parts.join(' ')))
  onTestFinished(() => log.mockRestore())
  // A file of its own, so that imports, types and top-level await mean what they mean to the reader.
  const file = join(folder, `${name}.ts`)
  writeFileSync(file, `${code}\nexport {}\n`)
  await import(file)
  expect(lines).toEqual(prints)
})
