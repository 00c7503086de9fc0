import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as schedulers from './index.ts'

test('the example of the README runs and ends in finite numbers', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const code = /```js\n(.*?)```/s.exec(readme)?.[1] ?? ''
  const runnable = code.replace(/^import (\{.*?\}) from '@antipode\/schedulers'/, 'const $1 = schedulers')
  expect(runnable).not.toBe(code)
  const logged: unknown[] = []
  // The very text that readers copy runs here, so nothing but evaluating it will do.
  new Function('schedulers', 'console', runnable)(schedulers, { log: (value: unknown) => logged.push(value) })
  expect(logged).toHaveLength(1)
  const sample = logged[0] as Float32Array
  expect(sample).toHaveLength(4)
  expect(sample.every(Number.isFinite)).toBe(true)
})

test('the README names every function and class that is exported, besides the solvers, which name themselves', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  for (const [name, value] of Object.entries(schedulers)) {
    if (!('solverName' in value)) expect(readme).toContain(`\`${name}`)
  }
})
