import type { SampleOptions, SampleState } from '@antipode/npo'
import type { Scheduler, StepsRequest } from '@antipode/schedulers'
import type { PreparedOptions } from '../request/index.ts'
import { cutOf } from './cut.ts'
import { keepingImage, type Start } from './start.ts'

/** Where a run begins and ends, and what is put back after each step. */
export function stepsFor(
  where: string,
  scheduler: Scheduler,
  options: PreparedOptions,
  start: Start,
  strength: number,
): SampleOptions {
  const { steps: asked = 50, denoisingStart, denoisingEnd } = options
  const request: StepsRequest = typeof asked === 'number' ? { count: asked } : asked
  // Inpainting of strength 1 begins at noise, image to image at an image that is hardly there.
  const partly = start.image !== undefined && denoisingStart === undefined && !(options.mask && strength === 1)
  const steps = partly ? { ...request, strength } : request
  const revise = keepingImage(scheduler, start)
  const shared = { steps, ...(partly && start.image ? { image: start.image } : {}), ...(revise ? { revise } : {}) }
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
