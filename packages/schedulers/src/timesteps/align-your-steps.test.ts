import { expect, test } from 'vitest'
import { alignYourSteps, dpmSolverMultistep, euler } from '../index.ts'

const latent = { betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012 } as const

test('timesteps and noise levels of a family are the same steps', () => {
  for (const { timesteps, sigmas } of [alignYourSteps.stableDiffusion, alignYourSteps.stableDiffusionXl]) {
    const byTimesteps = euler(latent).timesteps({ timesteps }).sigmas!
    sigmas.forEach((sigma, i) => {
      // The published levels have three digits behind the point, and the timesteps are whole.
      expect(Math.abs(byTimesteps[i]! - sigma)).toBeLessThan(0.02 * sigma + 0.0005)
    })
    expect(dpmSolverMultistep(latent).timesteps({ timesteps }).timesteps).toEqual(timesteps)
  }
})

test('noise levels of the largest families that solvers take by sigma begin a run', () => {
  expect(euler(latent).timesteps({ sigmas: alignYourSteps.stableDiffusionXl.sigmas }).sigmas).toHaveLength(11)
})
