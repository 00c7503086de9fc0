import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as core from '@antipode/core'
import * as nn from '@antipode/core/nn'
import * as models from './index.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test('the example of the README runs, and predicts finite numbers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'antipode-readme-'))
  const code = /```js\n(.*?)```/s.exec(readme)?.[1] ?? ''
  const runnable = code
    .replace(/^import (\{.*?\}) from '(.*?)'/gm, (_, names: string, from: string) => `const ${names} = modules['${from}']`)
    .replace(/'(\w+\.safetensors)'/g, (_, file: string) => JSON.stringify(join(folder, file)))
  const logged: unknown[] = []
  const modules = { '@antipode/core': core, '@antipode/core/nn': nn, '@antipode/models': models }
  // The very text that readers copy runs here, so nothing but evaluating it will do.
  await (new Function('modules', 'console', `return (async () => {${runnable}\nawait device[Symbol.asyncDispose]() })()`) as (...args: unknown[]) => Promise<void>)(
    modules, { log: (value: unknown) => logged.push(value) },
  )
  rmSync(folder, { recursive: true })
  const [prediction] = logged as [Float32Array]
  expect(prediction).toHaveLength(1024)
  expect(prediction.every(Number.isFinite)).toBe(true)
})

test('the table of the README names every function and class that is exported', () => {
  for (const name of Object.keys(models)) expect(readme).toContain(`\`${name}`)
})
