import { constant, type Tensor, type Backend } from '@antipode/core'
import type { UNet2DConditionModel } from '@antipode/models'
import type { Denoiser } from '@antipode/npo'
import { dpmSolverMultistep, noiseSchedule, type Schedule, type Scheduler } from '@antipode/schedulers'
import { NO_DIGIT } from './digits-unet.ts'

/** Noise schedule of the digits models, DDPM's own (Ho et al. 2020, section 4). */
export const digitsScheduleConfig = { numTrainTimesteps: 1000, betaStart: 1e-4, betaEnd: 0.02, betaSchedule: 'linear' } as const
/** The forward process of the digits models, and their solver. */
export const schedule: Schedule = noiseSchedule(digitsScheduleConfig)
export const solver: Scheduler = dpmSolverMultistep({ ...digitsScheduleConfig, timestepSpacing: 'trailing' })

/** Pixels end in [−1, 1]; estimates of the clean image are held to this, so that over-guidance shows but stays finite. */
export const pixelLimit = 1.5

/** A digits UNet as a denoiser whose condition is the class of each image, `[B]`. */
export function digitsDenoiser(unet: UNet2DConditionModel): Denoiser<Tensor> {
  return (x, timesteps, classLabels) => unet.forward(x, timesteps, { classLabels })
}

/** Class labels as a condition. */
export function labelsOf(device: Backend, labels: ArrayLike<number>): Tensor {
  return constant(device, labels, [labels.length], { dtype: 'i32' })
}

/** The empty condition for the same batch. */
export function unconditional(labels: Tensor): Tensor {
  return labelsOf(labels.device, new Int32Array(labels.size).fill(NO_DIGIT))
}
