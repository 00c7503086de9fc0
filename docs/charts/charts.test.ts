import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { flowed, posterior } from './mixture.ts'
import { solvers } from './runs.ts'

const docs = `${import.meta.dirname}/..`

test('the guide shows every solver; run docs/charts/solvers.ts where it does not', () => {
  const guide = readFileSync(`${docs}/guides/solvers.md`, 'utf8')
  for (const { solverName } of solvers) {
    expect(guide).toContain(`| \`${solverName}\` |`)
    expect(guide).toContain(`(../images/solvers/${solverName}.svg)`)
    expect(existsSync(`${docs}/images/solvers/${solverName}.svg`), solverName).toBe(true)
  }
})

test('what is known of a sample makes up the sample', () => {
  const points = [0.3, -0.8, 2, 1, -0.1, 0]
  for (const level of [{ signal: 1, noise: 0 }, { signal: 0.6, noise: 0.8 }, { signal: 1, noise: 5 }, { signal: 0, noise: 1 }]) {
    const { clean, noise } = posterior(points, level)
    points.forEach((value, i) => {
      expect(level.signal * clean[i]! + level.noise * noise[i]!).toBeCloseTo(value, 12)
    })
  }
})

test('exact paths lead back to where they began', () => {
  const [noisy, clean] = [{ signal: 0.1, noise: 0.9 }, { signal: 0.99, noise: 0.01 }]
  const points = [0.3, -0.8, 1, 0.2, -0.5, 0.6]
  const back = flowed(flowed(points, noisy, clean, 400), clean, noisy, 400)
  points.forEach((value, i) => {
    expect(back[i]!).toBeCloseTo(value, 4)
  })
})
