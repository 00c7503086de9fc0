import { callable, checkArgument, checkOptions, finite, positive, required } from '@antipode/core/options'
import type { GuidancePoint, Guider } from './guider.ts'

/** The scale of each call of a run; any function of your own is one. */
export type ScaleSchedule = (at: GuidancePoint) => number

/** Options of {@link linearScale} and {@link cosineScale}: finite numbers. */
export interface ScaleRange {
  /** Scale of the first call, which is the noisiest. */
  readonly from: number
  /** Scale of the last call. */
  readonly to: number
}

/** Options of {@link powerScale}. */
export interface PowerScaleOptions extends ScaleRange {
  /** p > 0, finite: below 1 the scale moves early, above 1 late. */
  readonly power: number
}

const ranges = { from: required(finite), to: required(finite) }

/**
 * A guider whose scale, or anything else that a number says, differs from call to call: it is made anew for each of them,
 * and only numbers change in what is computed.
 * @param make a guider of a scale, `(scale) => apg({ scale, momentum: -0.5 })`
 * @throws {ConfigError} if an argument is no function; and at a call for whose scale `make` throws
 * @example
 * scheduled((scale) => classifierFree({ scale }), (at) => Math.max(1, linearScale({ from: 0, to: 15 })(at)))
 * Source: Wang et al. 2024, arXiv 2404.13040, whose schedules rise from 0 to 2w, so that their mean is w.
 */
export function scheduled(make: (scale: number) => Guider, schedule: ScaleSchedule): Guider {
  checkArgument('scheduled', 'make', make, callable)
  checkArgument('scheduled', 'schedule', schedule, callable)
  const at = (point: GuidancePoint): Guider => make(schedule(point))
  return {
    active: (point) => at(point).active(point),
    perturbs: (point) => at(point).perturbs?.(point) === true,
    guide: (predictions, call) => at(call).guide(predictions, call),
  }
}

/** `from + (to − from)·f`, f from 0 to 1 over the calls of a run. @throws {ConfigError} if a number is not finite */
export function linearScale(options: ScaleRange): ScaleSchedule {
  checkOptions('linearScale', options, ranges)
  return between(options, (f) => f)
}

/** `from + (to − from)·(1 − cos(π·f))/2`: slow at both ends. @throws {ConfigError} if a number is not finite */
export function cosineScale(options: ScaleRange): ScaleSchedule {
  checkOptions('cosineScale', options, ranges)
  return between(options, (f) => (1 - Math.cos(Math.PI * f)) / 2)
}

/** `from + (to − from)·f^p`. @throws {ConfigError} if a number is not finite, or the power not above 0 */
export function powerScale(options: PowerScaleOptions): ScaleSchedule {
  checkOptions('powerScale', options, { ...ranges, power: required(positive) })
  return between(options, (f) => f ** options.power)
}

/** A run of one call is at its beginning. */
function between({ from, to }: ScaleRange, shape: (f: number) => number): ScaleSchedule {
  return ({ step, steps }) => from + (to - from) * shape(step / Math.max(1, steps - 1))
}
