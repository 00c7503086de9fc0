import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** Folders of which each file is an objective or a guider, and what else they hold: what those are made of. */
const folders: readonly (readonly [folder: string, parts: readonly string[]])[] = [
  ['objectives', ['objective', 'referred-pairs']],
  ['objectives/reward-gradients', ['graded-run']],
  ['objectives/self-npo', []],
  ['objectives/transitions', ['policy-gradient', 'step-pairs']],
  ['guidance', ['guider']],
]
const most = 150

test.each(folders)('%s: what is exported is a file of its own, with its test beside and a line in the index', (folder, parts) => {
  const at = join(import.meta.dirname, folder)
  const index = readFileSync(join(at, 'index.ts'), 'utf8')
  const exported = [...index.matchAll(/from '\.\/([\w-]+)\.ts'/g)].map(([, name]) => name!)
  expect(exported).not.toEqual([])
  for (const name of exported) {
    const lines = readFileSync(join(at, `${name}.ts`), 'utf8').split('\n').length - 1
    expect(lines, name).toBeLessThanOrEqual(most)
    if (parts.includes(name)) continue
    expect(['test', 'dawn.test'].some((kind) => existsSync(join(at, `${name}.${kind}.ts`))), `test of ${name}`).toBe(true)
  }
  const files = readdirSync(at).filter((file) => /^[\w-]+\.ts$/.test(file) && file !== 'index.ts')
  for (const file of files) expect(readFileSync(join(at, file), 'utf8').split('\n').length - 1, file).toBeLessThanOrEqual(most)
})
