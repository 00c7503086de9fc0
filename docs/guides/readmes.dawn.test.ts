import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { placeExampleFiles } from '../../scripts/example-files.mjs'
import { firstExample } from '../../scripts/readme-example.mjs'

const root = resolve(import.meta.dirname, '../..')
const folder = join(root, 'docs/dist/readmes')
mkdirSync(folder, { recursive: true })

const [start, work] = [process.cwd(), join(folder, 'files')]
beforeAll(() => {
  placeExampleFiles(work)
  process.chdir(work)
})
afterAll(() => { process.chdir(start) })

/** Packages' READMEs with an example; packages that test theirs themselves are left out. */
const readmes = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`).flatMap((place) => {
  const tested = readdirSync(join(root, place, 'src')).some((name) => /^readme.*\.test\.ts$/.test(name))
  const path = join(root, place, 'README.md')
  const code = tested || !existsSync(path) ? undefined : firstExample(readFileSync(path, 'utf8'))
  return code === undefined ? [] : [{ place, code }]
})

test.skipIf(readmes.length === 0).each(readmes)('the example of $place/README.md runs', async ({ place, code }) => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  onTestFinished(() => log.mockRestore())
  const file = join(folder, `${place.replace(/\W+/g, '-')}.mjs`)
  writeFileSync(file, code)
  await expect(import(file)).resolves.toBeDefined()
})
