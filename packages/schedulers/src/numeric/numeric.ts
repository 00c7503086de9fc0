/** Rounds to the nearest integer, halves to the even neighbour, as numpy and torch do (Math.round sends halves up). */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x)
  const rest = x - below
  if (rest !== 0.5) return Math.round(x)
  return below % 2 === 0 ? below : below + 1
}

/** `count` evenly spaced float64 values from start to end, both included; `[start]` when count is 1. */
export function linspace(start: number, end: number, count: number): number[] {
  const step = (end - start) / (count - 1)
  return Array.from({ length: count }, (_, i) => (i > 0 && i === count - 1 ? end : start + (count > 1 ? i * step : 0)))
}

/**
 * `count` evenly spaced float32 values. Each half is counted from its own end with a float32 step, as torch does it:
 * tables built otherwise differ in the last bit.
 */
export function linspace32(start: number, end: number, count: number): Float32Array {
  const [first, last] = [Math.fround(start), Math.fround(end)]
  const step = count > 1 ? Math.fround(Math.fround(last - first) / (count - 1)) : 0
  const middle = Math.ceil(count / 2)
  return Float32Array.from({ length: count }, (_, i) =>
    i < middle || count === 1 ? first + step * i : last - step * (count - 1 - i),
  )
}

/** Running product, kept in float64 and rounded to float32 at each entry: bit for bit torch's CPU cumprod. */
export function cumulativeProduct(values: Float32Array): Float32Array {
  let product = 1
  return values.map((value) => (product *= value))
}

/** Linear interpolation in a table over 0, 1, 2, … at a position within it. */
export function interpolate(position: number, table: Float32Array): number {
  const low = Math.floor(position)
  const value = table[low]!
  return value + (position - low) * ((table[low + 1] ?? value) - value)
}
