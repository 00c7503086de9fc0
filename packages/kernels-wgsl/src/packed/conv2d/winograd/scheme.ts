import { repeat } from '../../../wgsl/index.ts'

type Matrix = readonly (readonly number[])[]

/** Taps on a side of a filter, pixels on a side of a tile of the output, and of the tile of the input that it is computed from. */
export const taps = 3
export const tile = 4
export const size: number = tile + taps - 1

/** Products of a tile, each a position in it. */
export const positions: number = size ** 2

/**
 * Where the polynomials of Toom and Cook meet, infinity aside. On random numbers 0, ±1, ±2, as Lavin & Gray have them, are off
 * by 14e-7 of the result's mean square, these by 7e-7, and F(2×2, 3×3) by 2e-7; oneDNN computes with the same.
 */
const points = [0, 5 / 8, -5 / 8, 3 / 2, -3 / 2]

/** Coefficients of Π (x − root), from the constant on. */
function polynomial(roots: readonly number[]): number[] {
  return roots.reduce<number[]>((c, root) => [...c, 0].map((_, k) => (c[k - 1] ?? 0) - root * (c[k] ?? 0)), [1])
}

const others = points.map((p) => points.filter((q) => q !== p))

/** Bᵀ, G and Aᵀ of `Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A` (Lavin & Gray 2015, equation 8): of tiles, of filters, of results. */
export const ofTiles: Matrix = [...others.map((o) => [...polynomial(o), 0]), polynomial(points)]
export const ofFilters: Matrix = [
  ...points.map((p, i) => [1, p, p * p].map((v) => v / (others[i] ?? []).reduce((m, q) => m * (p - q), 1))),
  [0, 0, 1],
]
export const ofResults: Matrix = Array.from({ length: tile }, (_, k) => [...points.map((p) => p ** k), k === tile - 1 ? 1 : 0])

/** WGSL of the sum of the values `name(0)`, `name(1)`… by these weights. */
function weighted(weights: readonly number[], name: (k: number) => string): string {
  return weights
    .flatMap((w, k) => (w === 0 ? [] : [`${w < 0 ? '- ' : '+ '}${Math.abs(w) === 1 ? '' : `${Math.abs(w)} * `}${name(k)}`]))
    .join(' ').replace(/^\+ /, '')
}

/** Statements that set `to0_0`, `to0_1`… to `m · from · mᵀ`, a square of the values `from0_0`, `from0_1`… */
export function transform(m: Matrix, from: string, to: string): string {
  const row = (i: number): readonly number[] => m[i] ?? []
  return repeat(size, (v) => repeat(m.length, (j) => `let ${to}_${v}_${j} = ${weighted(row(j), (h) => `${from}${v}_${h}`)};`))
    + repeat(m.length, (i) => repeat(m.length, (j) => `let ${to}${i}_${j} = ${weighted(row(i), (v) => `${to}_${v}_${j}`)};`))
}
