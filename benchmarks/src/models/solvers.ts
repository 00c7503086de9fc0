import { ddim, dpmSolverMultistep, euler, type Scheduler } from '@antipode/schedulers'

/** Steps of one sampling run. */
export const stepCount = 50

/** Solvers whose step is measured, on Stable Diffusion's schedule (scaled-linear betas, CompVis v1-inference.yaml). */
const config = { betaStart: 0.00085, betaEnd: 0.012, betaSchedule: 'scaled_linear' } as const
export const schedulerSolvers = {
  ddim: (): Scheduler => ddim({ ...config, clipSample: false }),
  euler: (): Scheduler => euler(config),
  'dpmSolverMultistep': (): Scheduler => dpmSolverMultistep(config),
} as const

/** A solver whose step is measured. */
export type SolverName = keyof typeof schedulerSolvers
