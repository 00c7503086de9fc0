/** Largest difference relative to the largest expected magnitude; NaN if either side has one where the other has not. */
export function relativeGap(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Number.NaN
  let scale = 1e-6
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i] ?? 0))
  let worst = 0
  for (let i = 0; i < expected.length; i++) {
    const gap = Math.abs((got[i] ?? Number.NaN) - (expected[i] ?? Number.NaN)) / scale
    if (!(gap <= worst)) worst = gap
  }
  return worst
}

/** Numbers in [lo, hi) that look random and are the same every run, on every machine. */
export function noise(count: number, seed: number, lo = -1, hi = 1): Float32Array<ArrayBuffer> {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0
  return Float32Array.from({ length: count }, () => {
    // xorshift32 (Marsaglia 2003)
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return lo + (hi - lo) * ((state >>> 0) / 2 ** 32)
  })
}

const specials = [Number.NaN, Infinity, -Infinity, 0, -0, 1e4, -1e4, 1e15]

/** {@link noise} in which an element of three is NaN, an infinity, a zero of either sign or large. */
export function specialNoise(count: number, seed: number): Float32Array<ArrayBuffer> {
  const which = noise(count, seed + 1000, 0, 3 * specials.length)
  return noise(count, seed).map((x, i) => specials[Math.floor(which[i] ?? 0)] ?? x)
}

/**
 * Elements by which two results differ: one NaN or infinite and the other not so, or finite ones apart by `tolerance`, relative to
 * the larger or, below 1, absolute.
 */
export function differing(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): number[] {
  return Array.from({ length: Math.max(got.length, expected.length) }, (_, i) => i).filter((i) => {
    const [a = Number.NaN, b = Number.NaN] = [got[i], expected[i]]
    if (Number.isFinite(a) && Number.isFinite(b)) return !(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b)))
    return !Object.is(a, b) || i >= got.length || i >= expected.length
  })
}

/** The widest gap between what there is and what there should be; a number that is missing is NaN, which no bound lets pass. */
export function largestGap(want: Float64Array, got: ArrayLike<number>): number {
  return want.reduce((most, v, i) => Math.max(most, Math.abs(v - (got[i] ?? Number.NaN))), 0)
}
