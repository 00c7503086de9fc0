import { checkArgument, checkOptions, positive, whole } from '../options/index.ts'
import { decay as aDecay } from './ranges.ts'

/** Share of itself, in [0, 1), that an average keeps at update 1, 2, …; what it keeps at the first means nothing. */
export type AverageDecay = (update: number) => number

/** Options of {@link ratioWarmup}; names and defaults follow `EMAModel` of diffusers. */
export interface AverageWarmupOptions {
  /** Least decay from update `updateAfterStep + 2` on, in [0, 1); default 0. */
  readonly minDecay?: number
  /** Updates in which the average is the parameters themselves, besides the first one: whole, 0 or more; default 0. */
  readonly updateAfterStep?: number
}

/** Options of {@link powerWarmup}. */
export interface PowerWarmupOptions extends AverageWarmupOptions {
  /** Updates it takes to begin with, positive; default 1. */
  readonly inverseGamma?: number
  /** Positive; default 2/3, for a million updates or more. With 3/4 the decay is 0.999 after 10,000, 0.9999 after 215,000. */
  readonly power?: number
}

const ranges = { minDecay: aDecay, updateAfterStep: whole(0) }

/**
 * `min(decay, (1 + n)/(10 + n))` with n = update − updateAfterStep − 1, and 0 up to n = 0: what `EMAModel` of diffusers does unless told
 * otherwise. Source: TensorFlow's `ExponentialMovingAverage` with `num_updates`; diffusers, training_utils.py, `get_decay`.
 * @param decay the most, in [0, 1) @throws {ConfigError} if an argument is unknown, or outside its range
 */
export function ratioWarmup(decay: number, options: AverageWarmupOptions = {}): AverageDecay {
  checkOptions('ratioWarmup', options, ranges)
  return warmup('ratioWarmup', decay, options, (n) => (1 + n) / (10 + n))
}

/**
 * `min(decay, 1 − (1 + n/inverseGamma)^−power)` with n as in {@link ratioWarmup}: at power 1 a plain mean, below it one that forgets the
 * beginning. Source: Katherine Crowson's `EMAWarmup`; diffusers, training_utils.py, `use_ema_warmup`.
 * @param decay the most, in [0, 1) @throws {ConfigError} if an argument is unknown, or outside its range
 */
export function powerWarmup(decay: number, options: PowerWarmupOptions = {}): AverageDecay {
  checkOptions('powerWarmup', options, { ...ranges, inverseGamma: positive, power: positive })
  const { inverseGamma = 1, power = 2 / 3 } = options
  return warmup('powerWarmup', decay, options, (n) => 1 - (1 + n / inverseGamma) ** -power)
}

function warmup(
  where: string, decay: number, { minDecay = 0, updateAfterStep = 0 }: AverageWarmupOptions, rising: (n: number) => number,
): AverageDecay {
  checkArgument(where, 'decay', decay, aDecay)
  return (update) => {
    const n = update - updateAfterStep - 1
    return n <= 0 ? 0 : Math.max(minDecay, Math.min(decay, rising(n)))
  }
}
