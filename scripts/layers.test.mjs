import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { checkLayers } from './layers.mjs'

const roots = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})

function breaches(files) {
  const root = mkdtempSync(join(tmpdir(), 'layers-'))
  roots.push(root)
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, 'packages', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return checkLayers(root)
}

test('imports that the table grants pass', () => {
  expect(
    breaches({
      'npo/src/cfg.ts': "import { Tensor } from '@antipode/core'\nimport type { Scheduler } from '@antipode/schedulers'\n",
      'video/src/camera.ts': "import { mat4 } from 'wgpu-matrix'\nexport * from './rays/index.ts'\n",
      'video/src/rays/index.ts': "export * from './rays.ts'\n",
      'video/src/rays/rays.ts': "import { read } from 'node:fs'\nexport const rays = 1\n",
      'cli/src/main.ts': "import chart from 'echarts'\n",
    }),
  ).toEqual([])
})

test('a package outside the table row is named with what is allowed', () => {
  expect(breaches({ 'npo/src/a.ts': "import { unet } from '@antipode/models'\n" })).toEqual([
    "packages/npo/src/a.ts: imports '@antipode/models'; npo may import core, schedulers and nothing else",
  ])
})

test('type-only, dynamic and re-exporting imports count as imports', () => {
  const found = breaches({
    'schedulers/src/a.ts': "import type { Tensor } from '@antipode/core'\n",
    'schedulers/src/b.ts': "export const load = () => import('@antipode/core')\n",
    'schedulers/src/c.ts': "export { Tensor } from '@antipode/core'\n",
  })
  expect(found.map((line) => line.split(':')[0])).toEqual([
    'packages/schedulers/src/a.ts',
    'packages/schedulers/src/b.ts',
    'packages/schedulers/src/c.ts',
  ])
})

test('libraries and Node modules stay out of the pure packages, except in tests', () => {
  expect(
    breaches({
      'kernels-wgsl/src/a.ts': "import 'fast-check'\nimport 'node:fs'\n",
      'kernels-wgsl/src/a.test.ts': "import 'fast-check'\nimport 'node:fs'\n",
    }),
  ).toHaveLength(2)
})

test('a folder is entered through its index only, except by tests', () => {
  expect(
    breaches({
      'core/src/nn/linear.ts': "import { plan } from '../graph/plan.ts'\nimport { dtype } from '../dtype.ts'\n",
      'core/src/nn/linear.test.ts': "import { plan } from '../graph/plan.ts'\n",
      'core/src/graph/plan.ts': '',
      'core/src/dtype.ts': '',
    }),
  ).toEqual([
    "packages/core/src/nn/linear.ts: imports '../graph/plan.ts' behind the face of graph/; import graph/index.ts",
  ])
})

test('folders that depend on each other are reported once, as a circle', () => {
  expect(
    breaches({
      'core/src/a/index.ts': "export * from '../b/index.ts'\n",
      'core/src/b/index.ts': "export * from './b.ts'\n",
      'core/src/b/b.ts': "import '../a/index.ts'\n",
    }),
  ).toEqual(['packages/core/src/a: depends on itself through b -> a'])
})

test('files side by side share neither values nor types both ways', () => {
  const other = "import { b } from './b.ts'\n"
  for (const back of ["import type { A } from './a.ts'\n", "import { a } from './a.ts'\n", "export type B = import('./a.ts').A\n"]) {
    expect(breaches({ 'core/src/a.ts': other, 'core/src/b.ts': back })).toEqual(['packages/core/src/a.ts: depends on itself through b.ts -> a.ts'])
  }
})

test('benchmarks, docs and tools enter rooms by their faces, and packages by their names', () => {
  const root = mkdtempSync(join(tmpdir(), 'layers-'))
  roots.push(root)
  for (const [path, text] of Object.entries({
    'packages/core/src/a.ts': '',
    'benchmarks/src/main.ts': "import { core } from '@antipode/core'\nimport { run } from './run/run.ts'\nimport { page } from '../../packages/core/src/a.ts'\n",
    'benchmarks/src/run/run.ts': '',
    'tools/emoji/src/main.ts': "import { core } from '@antipode/core'\nimport { word } from './words/plain.ts'\n",
    'tools/emoji/src/words/plain.ts': '',
  })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  expect(checkLayers(root)).toEqual([
    "benchmarks/src/main.ts: imports './run/run.ts' behind the face of run/; import run/index.ts",
    "benchmarks/src/main.ts: imports '../../packages/core/src/a.ts' outside its package; use the package's name",
    "tools/emoji/src/main.ts: imports './words/plain.ts' behind the face of words/; import words/index.ts",
  ])
})

test('folders may not share types both ways either', () => {
  expect(
    breaches({
      'core/src/a/index.ts': "import type { B } from '../b/index.ts'\n",
      'core/src/b/index.ts': "export const a: import('../a/index.ts').A = 1\n",
    }),
  ).toHaveLength(1)
})

test('a file that imports its own folder index closes a circle', () => {
  expect(
    breaches({ 'core/src/index.ts': "export * from './a.ts'\n", 'core/src/a.ts': "import { b } from './index.ts'\n" }),
  ).toHaveLength(1)
})

test('a relative import may not leave its package', () => {
  expect(breaches({ 'models/src/a.ts': "import '../../core/src/index.ts'\n" })[0]).toContain('outside its package')
})

test('a package without a row is refused', () => {
  expect(breaches({ 'extra/src/a.ts': '' })[0]).toContain('expected a row')
})
