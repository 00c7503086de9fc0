import { expect, test } from 'vitest'
import { ddim, dpmSolverMultistep, fromConfig, heun, toConfig, uniPc, type DpmConfig } from '../index.ts'

test('a value nested deeper than any stack is refused by name', () => {
  const config = JSON.parse(`{"_class_name":"DDIMScheduler","beta_schedule":${'['.repeat(100_000)}${']'.repeat(100_000)}}`) as object
  expect(() => fromConfig(config)).toThrow(/expected betaSchedule to be .*, got an array/)
})

test.each(['constructor', 'toString'])('the key %s, which every object inherits, is one that nobody knows', (key) => {
  const config = JSON.parse(`{"_class_name":"DDIMScheduler","${key}":1}`) as object
  expect(() => fromConfig(config)).toThrow(`expected keys of diffusers' schedulers, got '${key}'`)
})

test('a file says which values were never set, and another solver takes over the others alone', () => {
  const file = toConfig(ddim({ betaStart: 0.00085, clipSample: false }))
  expect(file['_class_name']).toBe('DDIMScheduler')
  expect(file['_use_default_values']).toContain('timestep_spacing')
  expect(file['_use_default_values']).not.toContain('beta_start')
  const swapped = fromConfig(file, { solver: uniPc }).config as DpmConfig
  expect([swapped.betaStart, swapped.timestepSpacing]).toEqual([0.00085, 'linspace'])
})

test('a chain of swaps leaves the options as they were, also those that solvers between lack', () => {
  const first = dpmSolverMultistep({ useLuLambdas: true, solverOrder: 3, betaEnd: 0.012, solverType: 'heun' })
  const chain = [uniPc, heun, ddim, dpmSolverMultistep]
  const last = chain.reduce((file, solver) => toConfig(fromConfig(file, { solver })), toConfig(first))
  const { useLuLambdas, solverOrder, betaEnd } = fromConfig(last).config as DpmConfig
  expect([useLuLambdas, solverOrder, betaEnd]).toEqual([true, 3, 0.012])
})

test('a solver may be named by itself, its name or its class', () => {
  const file = toConfig(ddim())
  for (const solver of [heun, 'heun', 'HeunDiscreteScheduler']) expect(fromConfig(file, { solver }).name).toBe('heun')
  expect(() => fromConfig(file, { solver: 'huen' })).toThrow(/expected solver to be one of .*ddim, .*got 'huen'/)
})
