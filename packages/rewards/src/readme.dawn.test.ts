import { readFileSync } from 'node:fs'
import * as core from '@antipode/core'
import * as nn from '@antipode/core/nn'
import * as models from '@antipode/models'
import { expect, test } from 'vitest'
import * as rewards from './index.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test('the example of the README runs, and gives a finite score for each picture', async () => {
  const code = /```js\n(.*?)```/s.exec(readme)?.[1] ?? ''
  const imported = (_: string, names: string, from: string): string => `const ${names} = modules['${from}']`
  const runnable = code.replace(/^import (\{.*?\}) from '(.*?)'/gm, imported)
  const logged: unknown[][] = []
  const modules = {
    '@antipode/core': core, '@antipode/core/nn': nn, '@antipode/models': models, '@antipode/rewards': rewards,
  }
  // The very text that readers copy runs here, so nothing but evaluating it will do.
  const run = new Function('modules', 'console', `return (async () => {${runnable}})()`)
  await (run as (...args: unknown[]) => Promise<void>)(modules, { log: (...values: unknown[]) => logged.push(values) })
  const scores = logged.flat() as Float32Array[]
  expect(scores.map(({ length }) => length)).toEqual([4, 4])
  for (const each of scores) expect([...each].every(Number.isFinite)).toBe(true)
})

test('the table of the README names every function and constant that is exported', () => {
  for (const name of Object.keys(rewards)) expect(readme).toContain(`\`${name}`)
})
