import type { AdapterTuning } from '@antipode/kernels-wgsl'
import { abortSignal, anObject, callable, checkOptions, either, flag, listOf, oneOf, text } from '../options/index.ts'
import type { CompileProgress } from './pipelines.ts'

/** What to ask of the host. */
export interface DeviceOptions {
  /** Which adapter to prefer where there are several: `low-power` or `high-performance`. */
  readonly powerPreference?: 'low-power' | 'high-performance'
  /** Options for Dawn in Node, for example `['backend=vulkan']`; browsers ignore them. */
  readonly flags?: readonly string[]
  /**
   * By which numbers kernels are chosen: those that `antipode bench --tune` measured on this adapter if it did, else those built
   * in ('saved', the default; browsers have none); those built in; or these. They change speed and the rounding of sums.
   */
  readonly tuning?: 'saved' | 'built-in' | AdapterTuning
  /**
   * For debugging: computes every operation by itself, reads what it gave, and rejects with a `NumericError` that names the first
   * one that made a NaN or an infinity, and where the program called it. It takes many times as long. A NaN is always named, be it
   * in a tensor that was uploaded; an infinity only where no operand has one, so that masks of −∞ pass. In f16 each operation
   * rounds. False by default, unless the environment variable `ANTIPODE_CHECK_FINITE` is 1 in Node.
   */
  readonly checkFinite?: boolean
  /**
   * Told as the kernels of a graph are compiled, before it runs for the first time: with none done, and after each. All that a
   * graph needs are compiled at once. Some drivers, such as lavapipe, compile once more when a kernel first runs.
   */
  readonly onCompile?: (progress: CompileProgress) => void
  readonly signal?: AbortSignal
}

/** @throws {ConfigError} if an option is none */
export function checkDeviceOptions(options: DeviceOptions): void {
  checkOptions('Device.request', options, {
    powerPreference: oneOf('low-power', 'high-performance'),
    flags: listOf(text),
    tuning: either(oneOf('saved', 'built-in'), anObject('a row of tuningTable')),
    checkFinite: flag,
    onCompile: callable,
    signal: abortSignal,
  })
}
