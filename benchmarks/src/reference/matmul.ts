import { at } from './entries.ts'

/** Entry of `a·b`; a `[M,K]`, b `[K,N]`. */
export function matmulEntry(a: ArrayLike<number>, b: ArrayLike<number>, [k, n]: readonly [number, number], index: number): number {
  const [row, column] = [Math.floor(index / n), index % n]
  let sum = 0
  for (let i = 0; i < k; i++) sum += at(a, row * k + i) * at(b, i * n + column)
  return sum
}
