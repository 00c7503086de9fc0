import type { PackingCosts, PackingTerms } from '@antipode/kernels-wgsl'

/** How long one product took either way, in nanoseconds, and what that should be in proportion to. */
export interface Sample {
  readonly name: string
  readonly terms: PackingTerms
  /** On operands as they lie in buffers, and packed, packing included. */
  readonly buffers: number
  readonly packed: number
}

/**
 * The costs that explain the samples best: for either way a straight line in its terms with an intercept, what a product
 * costs beside its work, by least squares of relative errors, so that small products count as much as large ones. Null if
 * packing paid for no sample.
 */
export function fitPacking(samples: readonly Sample[]): PackingCosts | null {
  if (samples.every((s) => s.packed >= s.buffers)) return null
  const [alone = 0, buffer = 0] = leastSquares(samples.map((s) => [1, s.terms.macs]), samples.map((s) => s.buffers))
  const [withPacking = 0, texture = 0, element = 0] =
    leastSquares(samples.map((s) => [1, s.terms.padded, s.terms.packed]), samples.map((s) => s.packed))
  return { buffer, texture, element, dispatches: Math.max(0, withPacking - alone) }
}

/** By how much choices make the samples slower than the right ones would, on average: 0 is best, 0.1 is a tenth. */
export function regret(samples: readonly Sample[], isPacked: (sample: Sample, index: number) => boolean): number {
  return samples.reduce((sum, s, i) => sum + (isPacked(s, i) ? s.packed : s.buffers) / Math.min(s.packed, s.buffers) - 1, 0) / samples.length
}

/**
 * Non-negative x with the least Σ ((A·x − t) / t)². With so few unknowns every choice of those that are above zero is tried.
 * @param rows the rows of A, as long as x @param times t, above 0
 */
export function leastSquares(rows: readonly (readonly number[])[], times: readonly number[]): number[] {
  const width = rows[0]?.length ?? 0
  const relative = rows.map((row, i) => row.map((a) => a / (times[i] ?? 1)))
  let best = new Array<number>(width).fill(0)
  let least = residual(relative, best)
  for (let mask = 1; mask < 2 ** width; mask++) {
    const used = Array.from({ length: width }, (_, j) => j).filter((j) => mask >> j & 1)
    const solved = solve(used.map((j) => used.map((k) => dot(relative, j, k))), used.map((j) => relative.reduce((s, row) => s + (row[j] ?? 0), 0)))
    const x = new Array<number>(width).fill(0)
    used.forEach((j, k) => { x[j] = solved[k] ?? Number.NaN })
    const error = residual(relative, x)
    if (x.every((v) => v >= 0) && error < least) [best, least] = [x, error]
  }
  return best
}

const dot = (rows: readonly (readonly number[])[], j: number, k: number): number => rows.reduce((s, row) => s + (row[j] ?? 0) * (row[k] ?? 0), 0)

const residual = (rows: readonly (readonly number[])[], x: readonly number[]): number =>
  rows.reduce((s, row) => s + (row.reduce((y, a, j) => y + a * (x[j] ?? 0), 0) - 1) ** 2, 0)

/** Gauss–Jordan elimination with pivots of a symmetric positive matrix; NaN where it is singular. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  // Unknowns differ by nine orders of magnitude: scaled to a unit diagonal, pivots compare.
  const scale = matrix.map((row, i) => 1 / Math.sqrt(row[i] ?? 1))
  const m = matrix.map((row, i) => [...row.map((v, j) => v * (scale[i] ?? 1) * (scale[j] ?? 1)), (right[i] ?? 0) * (scale[i] ?? 1)])
  const n = m.length
  for (let column = 0; column < n; column++) {
    let pivot = column
    for (let i = column; i < n; i++) if (Math.abs(m[i]?.[column] ?? 0) > Math.abs(m[pivot]?.[column] ?? 0)) pivot = i
    const row = m[pivot] as number[]
    m[pivot] = m[column] as number[]
    m[column] = row
    const head = row[column] ?? 0
    if (Math.abs(head) < 1e-12) return new Array<number>(n).fill(Number.NaN)
    for (let j = column; j <= n; j++) row[j] = (row[j] ?? 0) / head
    for (const other of m) {
      const factor = other[column] ?? 0
      if (other === row || factor === 0) continue
      for (let j = column; j <= n; j++) other[j] = (other[j] ?? 0) - factor * (row[j] ?? 0)
    }
  }
  return m.map((row, i) => (row[n] ?? 0) * (scale[i] ?? 1))
}
