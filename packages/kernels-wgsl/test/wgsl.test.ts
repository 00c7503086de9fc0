import { readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { expect, test } from 'vitest'
import type { Kernel } from '../src/index.ts'
import { type WgslCase, wgslCases } from './wgsl-cases.ts'

/*
 * The text of every variant of every op stands in a file, so that a change to a template shows as a change to shaders.
 * Write them anew by `npx vitest run --project pure packages/kernels-wgsl/test --update`.
 */
const folder = join(import.meta.dirname, 'wgsl')

/** One file a kernel; those of several are numbered in the order in which they run. */
function files({ name, kernels }: WgslCase): (readonly [file: string, kernel: Kernel])[] {
  const variant = ({ label }: Kernel): string => label.replace(/\+.*/, '').split('/').slice(1).filter((part) => part !== 'f32').join('-')
  return kernels.map((kernel, k) => [kernels.length === 1 ? `${name}.wgsl` : [name, k + 1, variant(kernel), 'wgsl'].filter(Boolean).join('.'), kernel])
}

/** Every text once, in the file of the first case that has it. */
function distinct(cases: readonly WgslCase[]): ReadonlyMap<string, Kernel> {
  const seen = new Set<string>()
  return new Map(cases.flatMap(files).filter(([, { wgsl }]) => !seen.has(wgsl) && seen.add(wgsl)))
}

/** The text of a kernel behind a comment of what else it is dispatched with. */
function written({ label, wgsl, constants = {}, bindings, workgroups }: Kernel): string {
  const bound = bindings.map((b) => `${b.kind} ${b.index}`).join(', ')
  const given = Object.entries(constants).map(([name, value]) => `, ${name} = ${value}`).join('')
  return `// ${label}: ${workgroups.join(' × ')} workgroups${given}; ${bound}\n${wgsl}`
}

const expected = distinct(wgslCases())

test.each([...expected])('%s is what its op generates', async (file, kernel) => {
  await expect(written(kernel)).toMatchFileSnapshot(join(folder, file))
})

test('every file belongs to a text, and no two kernels to one file', () => {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).map((f) => relative(folder, join(f.parentPath, f.name)).split(sep).join('/'))
  expect(found.sort()).toEqual([...expected.keys()].sort())
  const names = wgslCases().flatMap(files).map(([file]) => file)
  expect(new Set(names).size).toBe(names.length)
})
