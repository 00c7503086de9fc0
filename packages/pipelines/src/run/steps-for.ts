import type { SampleOptions, SampleState } from '@antipode/npo'
import type { Scheduler, StepsRequest } from '@antipode/schedulers'
import type { PreparedOptions } from '../request/index.ts'
import { cutOf } from './cut.ts'
import { keepingImage, type Start } from './start.ts'

/**
 * The steps of a run, held to what the solver can make before anything is computed.
 * @throws {SchedulerError} if it cannot
 */
export function stepsOf(
  scheduler: Scheduler,
  { steps: asked = 50, image, mask, denoisingStart }: PreparedOptions,
  strength: number,
): StepsRequest {
  const request: StepsRequest = typeof asked === 'number' ? { count: asked } : asked
  // Inpainting of strength 1 begins at noise, image to image at an image that is hardly there.
  const partly = image !== undefined && denoisingStart === undefined && !(mask && strength === 1)
  const steps = partly ? { ...request, strength } : request
  scheduler.timesteps(steps)
  return steps
}

/** Where a run begins and ends, and what is put back after each step. */
export function stepsFor(
  where: string,
  scheduler: Scheduler,
  options: PreparedOptions,
  start: Start,
  steps: StepsRequest,
): SampleOptions {
  const { denoisingStart, denoisingEnd } = options
  const revise = keepingImage(scheduler, start)
  const begun = steps.strength !== undefined && denoisingStart === undefined && start.image ? { image: start.image } : {}
  const shared = { steps, ...begun, ...(revise ? { revise } : {}) }
  if (denoisingStart === undefined && denoisingEnd === undefined) return shared
  const plan = scheduler.timesteps(steps)
  const { first, after } = cutOf(where, scheduler, plan, { start: denoisingStart, end: denoisingEnd })
  const stop = after === plan.timesteps.length ? {} : { stopAt: after }
  if (denoisingStart === undefined) return { ...shared, ...stop }
  const step = (plan.starts ?? plan.timesteps.map((_, i) => i)).findIndex((call) => call >= first)
  const from: SampleState = {
    sample: start.noise,
    solver: scheduler.begin(plan, step),
    guidance: {},
    stream: undefined,
  }
  return { ...shared, ...stop, from }
}
