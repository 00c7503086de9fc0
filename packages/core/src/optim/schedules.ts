import { ConfigError } from '../errors.ts'
import { checkArgument, checkOptions, required, whole } from '../options/index.ts'

/** Factor on the learning rate of update `step` = 0, 1, …. */
export type LearningRateSchedule = (step: number) => number

/** Lengths of a schedule, in updates. */
export interface ScheduleOptions {
  /** Updates until the factor has risen from 0 to 1, whole, below `steps`; default 0. */
  readonly warmup?: number
  /** Updates in all, whole, 1 or more. */
  readonly steps: number
}

/** Rises linearly for `warmup` updates, a whole number of them, and stays at 1. @throws {ConfigError} if it is not */
export function constantWithWarmup(warmup: number): LearningRateSchedule {
  checkArgument('constantWithWarmup', 'warmup', warmup, whole(0))
  return (step) => (step < warmup ? step / warmup : 1)
}

/**
 * After the warm-up falls from 1 to 0 along half a cosine. Source: Loshchilov and Hutter, "SGDR", ICLR 2017, eq. 5, one cycle.
 * @throws {ConfigError} unless 0 ≤ warmup < steps
 */
export function cosineDecay(options: ScheduleOptions): LearningRateSchedule {
  return decaying('cosineDecay', options, (progress) => 0.5 * (1 + Math.cos(Math.PI * progress)))
}

/** After the warm-up falls from 1 to 0 in a straight line. @throws {ConfigError} unless 0 ≤ warmup < steps */
export function linearDecay(options: ScheduleOptions): LearningRateSchedule {
  return decaying('linearDecay', options, (progress) => 1 - progress)
}

function decaying(name: string, options: ScheduleOptions, shape: (progress: number) => number): LearningRateSchedule {
  checkOptions(name, options, { warmup: whole(0), steps: required(whole(1)) })
  const { warmup = 0, steps } = options
  if (warmup >= steps) throw new ConfigError(`${name}: expected 0 ≤ warmup < steps, got ${warmup} and ${steps}`)
  return (step) => (step < warmup ? step / warmup : shape(Math.min(1, (step - warmup) / (steps - warmup))))
}
