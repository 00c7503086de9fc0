import { flag, numeric, type Fields } from '../config/index.ts'
import { refuse } from '../errors.ts'
import type { Linear } from '../linear/index.ts'

/** The options of clipping x₀. */
export interface ClipConfig {
  /** Whether x₀ is clipped to ±clipSampleRange; thresholding goes before it. */
  readonly clipSample: boolean
  readonly clipSampleRange: number
}

/** The options of clipping x₀. */
export function clipFields(clipSample: boolean): Fields<ClipConfig> {
  return {
    clipSample: flag(clipSample),
    clipSampleRange: numeric(1, 1e-6),
  }
}

/**
 * What clips x₀ as configured, if anything does.
 * @throws {SchedulerError} if the adapter cannot clamp
 */
export function clipTo<T>(linear: Linear<T>, { clipSample, clipSampleRange }: ClipConfig): ((x0: T) => T) | undefined {
  if (!clipSample) return undefined
  return (x0) =>
    linear.clamp?.(x0, -clipSampleRange, clipSampleRange) ??
    refuse('step', 'linear.clamp for clipSample', 'none', 'add it to the adapter or set clipSample: false')
}
