import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allSolvers } from '../registry/all-solvers.ts'
import { fromConfig } from '../registry/index.ts'
import { goldenTests, solverProperties, type Golden } from '../testing/index.ts'

// Every exported solver is held to the golden cases in a folder beside its own, and to what all solvers must keep.

const files = readdirSync(import.meta.dirname)
  .map((folder) => `${import.meta.dirname}/${folder}/${folder}.golden.json`)
  .filter(existsSync)
const golden = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Golden)

for (const solver of allSolvers()) {
  const own = golden.filter(({ className }) => solver.classNames.includes(className))
  for (const one of own) goldenTests(solver.solverName, one)
  solverProperties(solver, own.flatMap(({ cases }) => cases.map(({ config, step }) => ({ ...config, ...step }))))
}

test.each(allSolvers().map((solver) => [solver.solverName, solver] as const))('%s is found by each of its names', (name, { classNames }) => {
  for (const one of [name, ...classNames]) expect(fromConfig({ _class_name: one }).name).toBe(name)
})

test('the golden files hold all reference cases', () => {
  expect(golden.flatMap(({ cases }) => cases)).toHaveLength(122)
})
