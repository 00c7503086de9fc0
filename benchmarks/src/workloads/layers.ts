import { feedForwardRow, gegluEntry, groupNormSilu as reference, relativeError, samples } from '../reference/index.ts'
import type { Input, Workload } from '../workload.ts'
import { entriesOfRows, normals, rowwise } from './normals.ts'

/** Group norm in 32 groups with SiLU, as before every convolution of a resnet. */
export function groupNormSilu(): Workload {
  const shape = [1, 320, 32, 32]
  const size = 320 * 32 * 32
  return {
    id: 'group-norm-silu', kind: 'groupNormSilu', group: 'other layers', title: 'group norm (32) + SiLU, 320×32×32',
    work: { amount: 8 * size, unit: 'byte' }, tolerance: 2e-5,
    make() {
      const normal = normals('group-norm-silu')
      const [x, weight, bias] = [normal(shape, 2), normal([320]), normal([320])]
      return {
        inputs: { x, weight, bias },
        error: ([y = new Float32Array()]) => {
          const want = reference(x.data, weight.data, bias.data, 32)
          return relativeError(y, (i) => want[i] ?? Number.NaN, samples(size, size))
        },
      }
    },
  }
}

/** The gate of GEGLU alone, `a·gelu(b)` of the halves of the last axis. */
export function geglu(): Workload {
  const [rows, width] = [1024, 1280]
  return {
    id: 'geglu', kind: 'geglu', group: 'other layers', title: `GEGLU, ${rows} × ${2 * width} → ${width}`,
    work: { amount: 12 * rows * width, unit: 'byte' }, tolerance: 1e-5,
    make() {
      const x = normals('geglu')([rows, 2 * width])
      return {
        inputs: { x },
        error: ([y = new Float32Array()]) => relativeError(y, (i) => gegluEntry(x.data, width, i), samples(rows * width, 20_000)),
      }
    },
  }
}

/** A transformer's feed-forward of width 320: to GEGLU's two times 1280, and back. */
export function feedForward(): Workload {
  const [rows, d, h] = [1024, 320, 1280]
  return {
    id: 'feed-forward', kind: 'feedForward', group: 'other layers', title: `feed-forward with GEGLU, ${rows} × ${d}`,
    work: { amount: 2 * rows * d * 3 * h, unit: 'FLOP' }, tolerance: 2e-5,
    make() {
      const normal = normals('feed-forward')
      const inputs = {
        x: normal([rows, d]), w1: normal([2 * h, d], d ** -0.5), b1: normal([2 * h], 0.1), w2: normal([d, h], 2 * h ** -0.5), b2: normal([d], 0.1),
      }
      const arrays = Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data])) as Record<keyof typeof inputs, Float32Array>
      return {
        inputs,
        error: ([y = new Float32Array()]) =>
          relativeError(y, rowwise(d, (row) => feedForwardRow(arrays, [d, h], row)), entriesOfRows(samples(rows, 5), d)),
      }
    },
  }
}

/** One addition of 2²⁴ numbers: memory and nothing else. */
export function add(): Workload {
  const n = 2 ** 24
  return {
    id: 'add-16M', kind: 'add', group: 'other layers', title: 'add, 16.8 M elements', work: { amount: 12 * n, unit: 'byte' }, tolerance: 1e-6,
    make() {
      const ramp = (period: number): Input => ({ shape: [n], data: Float32Array.from({ length: n }, (_, i) => (i % period) / period) })
      const [a, b] = [ramp(997), ramp(1009)]
      return {
        inputs: { a, b },
        error: ([c = new Float32Array()]) => relativeError(c, (i) => (a.data[i] ?? 0) + (b.data[i] ?? 0), samples(n, 100_000)),
      }
    },
  }
}
