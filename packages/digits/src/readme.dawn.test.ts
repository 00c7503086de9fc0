import * as files from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import * as core from '@antipode/core'
import * as models from '@antipode/models'
import { expect, test } from 'vitest'
import * as digits from './index.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test('the example of the README runs, and its digits are read as what they should be', async () => {
  const code = /```js\n(.*?)```/s.exec(readme)?.[1] ?? ''
  const runnable = code.replace(/^import (\{.*?\}) from '(.*?)'/gm, (_, names: string, from: string) => `const ${names} = modules['${from}']`)
  const logged: unknown[] = []
  const modules = { 'node:fs/promises': files, '@antipode/core': core, '@antipode/models': models, '@antipode/digits': digits }
  // The very text that readers copy runs here, so nothing but evaluating it will do.
  await (new Function('modules', 'console', `return (async () => {${runnable}\nawait device[Symbol.asyncDispose]() })()`) as (...args: unknown[]) => Promise<void>)(
    modules, { log: (value: unknown) => logged.push(value) },
  )
  const [images] = logged as [Float32Array]
  expect(images).toHaveLength(2560)
  const read = (await digits.loadDigitClassifier()).predict(images, 16)
  expect(Array.from(read).filter((digit, i) => digit === i).length).toBeGreaterThanOrEqual(8)
})

test('the table of the README names every function and constant that is exported', () => {
  for (const name of Object.keys(digits)) expect(readme).toContain(`\`${name}`)
})
