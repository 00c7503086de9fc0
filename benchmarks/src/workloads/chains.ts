import { matmulEntry, relativeError, samples } from '../reference/index.ts'
import type { Input, Workload } from '../workload.ts'
import { normals } from './normals.ts'

const repeats = 500

/** Five hundred dependent additions, which a library may fuse. */
export function addChain(): Workload {
  return {
    id: 'add-chain', kind: 'addChain', group: 'many small operations', title: `${repeats} dependent adds of 256 numbers (may be fused)`, repeats,
    work: { amount: repeats, unit: 'op' }, tolerance: 1e-4,
    make() {
      const normal = normals('add-chain')
      const [x, b] = [normal([256]), normal([256], 0.01)]
      return {
        inputs: { x, b },
        error: ([y = new Float32Array()]) => relativeError(y, (i) => (x.data[i] ?? 0) + repeats * (b.data[i] ?? 0), samples(256, 256)),
      }
    },
  }
}

/** Five hundred dependent matrix products, which nobody can fuse: what one operation costs besides its arithmetic. */
export function matmulChain(): Workload {
  const n = 16
  return {
    id: 'matmul-chain', kind: 'matmulChain', group: 'many small operations', title: `${repeats} dependent 16×16 matmuls (cannot be fused)`, repeats,
    work: { amount: repeats, unit: 'op' }, tolerance: 1e-6,
    make() {
      const x = normals('matmul-chain')([n, n])
      // A permutation with signs keeps every product as large as the last.
      const data = new Float32Array(n * n)
      for (let i = 0; i < n; i++) data[i * n + ((5 * i + 3) % n)] = i % 3 === 0 ? -1 : 1
      const r: Input = { shape: [n, n], data }
      return {
        inputs: { x, r },
        error: ([y = new Float32Array()]) => {
          let want = Float64Array.from(x.data)
          for (let i = 0; i < repeats; i++) {
            const before = want
            want = before.map((_, index) => matmulEntry(before, data, [n, n], index))
          }
          return relativeError(y, (i) => want[i] ?? Number.NaN, samples(n * n, n * n))
        },
      }
    },
  }
}
