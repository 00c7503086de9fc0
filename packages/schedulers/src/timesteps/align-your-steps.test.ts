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

test('noise levels begin a run of the family\'s own solver', () => {
  const { stableDiffusionXl, stableVideoDiffusion } = alignYourSteps
  expect(euler(latent).timesteps({ sigmas: stableDiffusionXl.sigmas }).sigmas).toHaveLength(11)
  // The file of Stable Video Diffusion.
  const video = euler({
    ...latent,
    predictionType: 'v_prediction',
    timestepType: 'continuous',
    timestepSpacing: 'leading',
    useKarrasSigmas: true,
    sigmaMin: 0.002,
    sigmaMax: 700,
  })
  const plan = video.timesteps({ sigmas: stableVideoDiffusion.sigmas })
  expect(plan.timesteps).toHaveLength(10)
  expect(plan.timesteps[0]).toBeCloseTo(0.25 * Math.log(700), 6)
})
