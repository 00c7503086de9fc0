/** Value below which a share of the values lies, with the two nearest mixed; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  // Equal neighbours are not mixed, so that a median of whole numbers stays one.
  return below === above ? below : below + (above - below) * (place - Math.floor(place))
}

/** The middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** A median with the range of what it was taken from. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** {@link Spread} of values. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

/**
 * How many times longer `theirs` took than `ours`, round by round: what slows the machine down in one round slows both, so
 * the ratio of a round is steadier than the ratio of two medians. Rounds that one of them lacks do not count.
 */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): Spread | undefined {
  const ratios = theirs.slice(0, ours.length).map((value, round) => value / (ours[round] ?? Number.NaN)).filter(Number.isFinite)
  return ratios.length > 0 ? spread(ratios) : undefined
}

/** The mean whose logarithm is the mean of the logarithms: twice as fast and half as fast are 1 together. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, v) => sum + Math.log(v), 0) / values.length)
}
