import { readFileSync } from 'node:fs'
import * as core from '@antipode/core'
import * as digits from '@antipode/digits'
import ts from 'typescript'
import { expect, test } from 'vitest'
import * as matrices from 'wgpu-matrix'
import * as video from './index.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const modules: Readonly<Record<string, unknown>> = {
  '@antipode/core': core, '@antipode/digits': digits, '@antipode/video': video, 'wgpu-matrix': matrices,
}

/** Runs a block of the README, the very text that readers copy, and gives what it logs. */
async function run(block: string): Promise<unknown[]> {
  const { outputText } = ts.transpileModule(block, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } })
  const code = outputText.replace(/^import (\{.*?\}) from '(.*?)';?$/gm, "const $1 = modules['$2'];").replace(/^export \{\};?$/gm, '')
  const logged: unknown[] = []
  const AsyncFunction = Object.getPrototypeOf(run).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>
  await new AsyncFunction('modules', 'console', code)(modules, { log: (...values: unknown[]) => logged.push(values) })
  return logged
}

test('the examples of the README run and log what they say', async () => {
  const [first, second, ...more] = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? '')
  expect(more).toEqual([])
  // Eight places of nineteen tensors each.
  expect(await run(first ?? '')).toEqual([[[1, 1, 8, 16, 16], 8 * 19, 2048]])
  expect(await run(second ?? '')).toEqual([[true]])
})

test('the table of the README names every function and class that is exported', () => {
  for (const name of Object.keys(video)) expect(readme).toContain(`\`${name}`)
})
