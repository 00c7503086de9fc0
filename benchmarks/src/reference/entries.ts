/** Entries to look at: `count` spread evenly over `size`, the first and the last among them. */
export function samples(size: number, count: number): number[] {
  const n = Math.min(size, count)
  return Array.from({ length: n }, (_, i) => (n === 1 ? 0 : Math.round((i * (size - 1)) / (n - 1))))
}

/** Largest |got − want| of some entries, relative to the root mean square of the wanted. */
export function relativeError(got: ArrayLike<number>, want: (index: number) => number, entries: readonly number[]): number {
  let worst = 0
  let squares = 0
  for (const i of entries) {
    const value = want(i)
    const off = Math.abs((got[i] ?? Number.NaN) - value)
    // A NaN is worse than any number.
    worst = Number.isNaN(off) ? Infinity : Math.max(worst, off)
    squares += value * value
  }
  return worst / Math.sqrt(squares / entries.length)
}

/** Element of an array; 0 beyond its end. */
export const at = (x: ArrayLike<number>, i: number): number => x[i] ?? 0

/** Product of the sizes of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
