import { Device } from '@antipode/core'
import packageFile from '@antipode/core/package.json' with { type: 'json' }
import type { Kind, Prepared, Problem, Runner } from '../workload.ts'
import { digitsDpo, digitsStep } from './digits.ts'
import { forward } from './forward.ts'
import { schedulerStep } from './scheduler-step.ts'
import { training } from './training.ts'
import { unetEighth } from './unet-eighth.ts'

type Preparation = (device: Device, problem: Problem) => Prepared | Promise<Prepared>

/** Preparations of all but plain forward and backward passes. */
const special: Partial<Record<Kind, Preparation>> = { trainStep: training, digitsStep, digitsDpo, unetEighth, schedulerStep }

/** This library, as its users call it. */
export async function open(): Promise<Runner> {
  const device = await Device.request()
  const { adapter } = device
  return {
    name: 'antipode', version: packageFile.version, adapter: adapter.description, software: adapter.software,
    prepare: async (problem) => (special[problem.kind] ?? forward)(device, problem),
  }
}
