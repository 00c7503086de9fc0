import { ConfigError, ShapeError } from '@antipode/core'
import { checkOptions, type Range, type Ranges, required, whole } from '@antipode/core/options'
import { rng } from '@antipode/core/random'
import { finiteScores } from './scores.ts'

/** An estimate with the ends of its 95% confidence interval. */
export interface Interval {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** What a paired comparison of two arms on the same items found. */
export interface PairedResult {
  /** Items compared. */
  readonly count: number
  /** Groups, for example training seeds, that the items come from; 1 if none were named. */
  readonly clusters: number
  /** Mean of a − b. */
  readonly difference: Interval
  /** Share of items where a > b, ties counting half. */
  readonly winRate: Interval
  /** The same share with Wilson's interval, which takes all items for independent of each other. */
  readonly wilson: Interval
  /** Two-sided bootstrap p-value of "the mean difference is 0"; never below 2 / (samples + 1). */
  readonly pValue: number
}

/** How to resample. */
export interface BootstrapOptions {
  /** Resamples, whole, 1 or more; default 2,000, which settles a 95% end to about a twentieth of the interval's width. */
  readonly samples?: number
  /** Whole, in [0, 2⁵³). */
  readonly seed: number
  /** Group of each item, a finite number. When there are several, groups are resampled first and items within them second. */
  readonly clusters?: ArrayLike<number>
}

/**
 * Resamples drawn once for many statistics of the same items: how often each item occurs in each resample. Hundreds of
 * intervals then cost one product each, and comparisons that share them share their luck.
 */
export interface Resamples {
  /** Items. */
  readonly count: number
  /** Clusters the items come from. */
  readonly groups: number
  readonly samples: number
  /** [samples, count] */
  readonly weights: Uint16Array
  /** Items drawn in each resample, [samples]. */
  readonly drawn: Float64Array
}

const numbers: Range = {
  expected: 'a list of finite numbers',
  accepts: (v) => (Array.isArray(v) || ArrayBuffer.isView(v)) && Array.from(v as ArrayLike<unknown>).every(Number.isFinite),
}
const bootstrapRanges: Ranges<BootstrapOptions> = { samples: whole(1), seed: required(whole(0)), clusters: numbers }

/** Resamples times items at most: 2 GiB of weights. */
const mostWeights = 2 ** 30

/** Normal quantile of a two-sided 95% interval. */
const Z95 = 1.959963984540054

/**
 * Share of items where a > b, ties counting ½.
 *
 * @throws {ShapeError} if the lengths differ or are 0. @throws {NumericError} if a score is not finite.
 */
export function winRate(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return average(wins('winRate', a, b))
}

/**
 * Paired bootstrap: percentile intervals of the mean difference and of the win rate from the same resamples.
 * With several clusters it is the two-level bootstrap (Davison & Hinkley 1997, 3.8): clusters, then items within.
 *
 * @throws {ShapeError} if lengths differ or are below 2: one pair has no spread. @throws {NumericError} if a score is not finite.
 * @throws {ConfigError} if an option is unknown, or outside its range.
 * @param options how to resample, or resamples drawn before
 * @example
 * pairedBootstrap(judgeOfNpo, judgeOfBase, { seed: 1, clusters: trainingSeeds }).winRate.low > 0.5
 */
export function pairedBootstrap(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: BootstrapOptions | Resamples,
): PairedResult {
  const won = wins('pairedBootstrap', a, b)
  const gaps = Float64Array.from(won, (_, i) => a[i]! - b[i]!)
  const resamples = resamplesOf('pairedBootstrap', won.length, options)
  const differences = resampledMeans(gaps, resamples)
  const atMost = differences.reduce((n, d) => n + (d <= 0 ? 1 : 0), 0)
  const atLeast = differences.reduce((n, d) => n + (d >= 0 ? 1 : 0), 0)
  return {
    count: won.length,
    clusters: resamples.groups,
    difference: percentileInterval(average(gaps), differences),
    winRate: percentileInterval(average(won), resampledMeans(won, resamples)),
    wilson: wilson(won.reduce((sum, w) => sum + w, 0), won.length),
    pValue: Math.min(1, (2 * (Math.min(atMost, atLeast) + 1)) / (differences.length + 1)),
  }
}

/**
 * Mean with a 95% percentile bootstrap interval; see `pairedBootstrap` for clusters and errors.
 */
export function meanInterval(values: ArrayLike<number>, options: BootstrapOptions | Resamples): Interval {
  const finite = finiteScores('meanInterval', 'values', values)
  return percentileInterval(
    average(finite),
    resampledMeans(finite, resamplesOf('meanInterval', finite.length, options)),
  )
}

/**
 * Wilson's score interval for a share (Wilson 1927), 95%. Half successes, as ties give, are welcome.
 *
 * @throws {ConfigError} unless 0 ≤ successes ≤ count and 0 < count < ∞.
 */
export function wilson(successes: number, count: number): Interval {
  if (!(count > 0 && count < Infinity && successes >= 0 && successes <= count)) {
    throw new ConfigError(
      `wilson: expected 0 <= successes <= count and 0 < count < ∞, got ${successes} of ${count}; an empty sample has no ` +
        `interval`,
    )
  }
  const share = successes / count
  const z2 = Z95 ** 2 / count
  const centre = (share + z2 / 2) / (1 + z2)
  const half = (Z95 * Math.sqrt((share * (1 - share) + z2 / 4) / count)) / (1 + z2)
  return { mean: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) }
}

/**
 * Holm's step-down adjustment of p-values (Holm 1979), in the order given.
 *
 * @throws {ConfigError} if a p-value is outside [0, 1].
 */
export function holm(pValues: ArrayLike<number>): Float64Array {
  const values = Array.from(pValues)
  if (!values.every((p) => p >= 0 && p <= 1)) {
    throw new ConfigError(`holm: expected p-values in [0, 1], got ${values.join(', ')}; pass unadjusted p-values`)
  }
  const adjusted = new Float64Array(values.length)
  let running = 0
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!)
  for (const [rank, i] of order.entries()) {
    running = Math.max(running, Math.min(1, (values.length - rank) * values[i]!))
    adjusted[i] = running
  }
  return adjusted
}

/** Sample standard deviation (n − 1); 0 for fewer than two values, NaN if one is not finite. */
export function standardDeviation(values: ArrayLike<number>): number {
  if (values.length < 2) return Number.isFinite(values[0] ?? 0) ? 0 : Number.NaN
  const mean = average(values)
  return Math.sqrt(Array.from(values).reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1))
}

/** Arithmetic mean, summed in float64; NaN if there is nothing. */
export function average(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum / values.length
}

/**
 * Draws bootstrap resamples of `count` items; two-level if there are several clusters.
 *
 * @throws {ConfigError} if an option is unknown or outside its range, or there are more than 2³⁰ items in all resamples.
 * @throws {ShapeError} if there are fewer than two items, whose spread is not known, or not one cluster for each.
 */
export function drawResamples(count: number, options: BootstrapOptions): Resamples {
  checkOptions('drawResamples', options, bootstrapRanges)
  const { samples = 2000, seed, clusters } = options
  if (!Number.isSafeInteger(count) || count < 2) {
    throw new ShapeError(`drawResamples: expected two items or more, got ${count}; their spread is what is resampled`)
  }
  if (samples * count > mostWeights) {
    throw new ConfigError(`drawResamples: expected samples times items of at most 2^30, got ${samples} times ${count}; take fewer samples`)
  }
  if (clusters !== undefined && clusters.length !== count) {
    throw new ShapeError(`drawResamples: expected ${count} clusters, got ${clusters.length}; name each item's group`)
  }
  const members = new Map<number, number[]>()
  for (let i = 0; i < count; i++) {
    const key = clusters?.[i] ?? 0
    const group = members.get(key)
    if (group) group.push(i)
    else members.set(key, [i])
  }
  const groups = [...members.values()]
  const random = rng(seed)
  const weights = new Uint16Array(samples * count)
  const drawn = new Float64Array(samples)
  for (let s = 0; s < samples; s++) {
    for (let g = 0; g < groups.length; g++) {
      const group = groups.length === 1 ? groups[0]! : groups[random.int(groups.length)]!
      drawn[s]! += group.length
      for (let k = 0; k < group.length; k++) weights[s * count + group[random.int(group.length)]!]! += 1
    }
  }
  return { count, groups: groups.length, samples, weights, drawn }
}

function resamplesOf(op: string, count: number, options: BootstrapOptions | Resamples): Resamples {
  if (!('weights' in options)) return drawResamples(count, options)
  if (options.count === count) return options
  throw new ShapeError(
    `${op}: expected ${options.count} items, as were resampled, got ${count}; draw resamples of these`,
  )
}

/** Mean of the values over each resample, [samples]. */
function resampledMeans(values: Float64Array, { samples, count, weights, drawn }: Resamples): Float64Array {
  return Float64Array.from({ length: samples }, (_, s) => {
    let sum = 0
    for (let i = 0, at = s * count; i < count; i++) sum += values[i]! * weights[at + i]!
    return sum / drawn[s]!
  })
}

function percentileInterval(mean: number, resampled: Float64Array): Interval {
  const sorted = resampled.slice().sort()
  return { mean, low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) }
}

/** Linear interpolation between order statistics (type 7 of Hyndman & Fan 1996, the default of numpy and R). */
function quantile(sorted: Float64Array, q: number): number {
  const at = (sorted.length - 1) * q
  const below = Math.floor(at)
  const above = Math.min(sorted.length - 1, below + 1)
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!)
}

function wins(op: string, a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  if (a.length !== b.length) {
    throw new ShapeError(`${op}: expected as many scores in b as in a, got ${a.length} and ${b.length}; pair the items`)
  }
  const left = finiteScores(op, 'a', a)
  const right = finiteScores(op, 'b', b)
  return left.map((value, i) => (value > right[i]! ? 1 : value === right[i] ? 0.5 : 0))
}
