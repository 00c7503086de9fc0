import { philoxNormal } from '@antipode/core/random'
import {
  attentionRow, convEntry, groupNormSilu, matmulEntry, netLoss, netShapes, relativeError, samples,
} from './reference.ts'
import type { Input, Workload } from './workload.ts'

/** Learning rate of the training step's plain gradient descent. */
export const learningRate = 0.05

let stream = 0
const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
const normal = (shape: readonly number[], scale = 1): Input => {
  const data = Float32Array.from(philoxNormal(product(shape), { seed: 1, stream: stream++ }), (v) => v * scale)
  return { shape, data }
}

function matmul(n: number): Workload {
  const [a, b] = [normal([n, n]), normal([n, n])]
  return {
    id: `matmul-${n}`, kind: 'matmul', title: `matmul ${n}×${n}×${n}`, work: { amount: 2 * n ** 3, unit: 'FLOP' }, inputs: { a, b }, tolerance: 1e-5,
    error: ([c = a.data]) => relativeError(c, (i) => matmulEntry(a.data, b.data, n, i), samples(n * n, 200)),
  }
}

function conv(channels: number, side: number): Workload {
  const [x, w] = [normal([1, channels, side, side]), normal([channels, channels, 3, 3], 0.05)]
  const sizes = { channels, filters: channels, height: side, width: side, stride: 1 }
  const outputs = channels * side * side
  return {
    id: `conv3x3-${side}x${side}x${channels}`, kind: 'conv3x3', title: `conv 3×3, ${side}×${side}, ${channels} → ${channels} channels`,
    work: { amount: 2 * 9 * channels * outputs, unit: 'FLOP' }, inputs: { x, w }, tolerance: 1e-5,
    error: ([y = x.data]) => relativeError(y, (i) => convEntry(x.data, w.data, sizes, i), samples(outputs, 200)),
  }
}

function attention(): Workload {
  const [heads, n, d] = [8, 1024, 40]
  const [q, k, v] = [normal([1, heads, n, d]), normal([1, heads, n, d]), normal([1, heads, n, d])]
  return {
    id: 'attention', kind: 'attention', title: `attention, ${heads} heads, ${n} × ${d}`,
    work: { amount: 4 * heads * n * n * d, unit: 'FLOP' }, inputs: { q, k, v }, tolerance: 2e-5,
    error: ([y = q.data]) => {
      const rows = samples(heads * n, 24)
      const want = new Map(rows.map((row) => [row, attentionRow(q.data, k.data, v.data, [n, d], row)]))
      const entries = rows.flatMap((row) => Array.from({ length: d }, (_, c) => row * d + c))
      return relativeError(y, (i) => want.get(Math.floor(i / d))?.[i % d] ?? Number.NaN, entries)
    },
  }
}

function normSilu(): Workload {
  const [x, weight, bias] = [normal([1, 320, 32, 32], 2), normal([320]), normal([320])]
  return {
    id: 'group-norm-silu', kind: 'groupNormSilu', title: 'group norm (32) + SiLU, 320×32×32', work: { amount: 8 * x.data.length, unit: 'byte' },
    inputs: { x, weight, bias }, tolerance: 2e-5,
    error: ([y = x.data]) => {
      const want = groupNormSilu(x.data, weight.data, bias.data, 32)
      return relativeError(y, (i) => want[i] ?? Number.NaN, samples(x.data.length, x.data.length))
    },
  }
}

function add(): Workload {
  const n = 2 ** 24
  const ramp = (period: number): Input => ({ shape: [n], data: Float32Array.from({ length: n }, (_, i) => (i % period) / period) })
  const [a, b] = [ramp(997), ramp(1009)]
  return {
    id: 'add-16M', kind: 'add', title: 'add, 16.8 M elements', work: { amount: 12 * n, unit: 'byte' }, inputs: { a, b }, tolerance: 1e-6,
    error: ([c = a.data]) => relativeError(c, (i) => (a.data[i] ?? 0) + (b.data[i] ?? 0), samples(n, 100_000)),
  }
}

function addChain(): Workload {
  const [x, b] = [normal([256]), normal([256], 0.01)]
  const repeats = 500
  return {
    id: 'add-chain', kind: 'addChain', title: '500 dependent adds of 256 numbers (may be fused)', repeats,
    work: { amount: repeats, unit: 'op' }, inputs: { x, b }, tolerance: 1e-4,
    error: ([y = x.data]) => relativeError(y, (i) => (x.data[i] ?? 0) + repeats * (b.data[i] ?? 0), samples(256, 256)),
  }
}

function matmulChain(): Workload {
  const n = 16
  const repeats = 500
  const x = normal([n, n])
  // A permutation with signs keeps every product as large as the last.
  const data = new Float32Array(n * n)
  for (let i = 0; i < n; i++) data[i * n + ((5 * i + 3) % n)] = i % 3 === 0 ? -1 : 1
  const r: Input = { shape: [n, n], data }
  return {
    id: 'matmul-chain', kind: 'matmulChain', title: '500 dependent 16×16 matmuls (cannot be fused)', repeats,
    work: { amount: repeats, unit: 'op' }, inputs: { x, r }, tolerance: 1e-6,
    error: ([y = x.data]) => {
      let want = Float64Array.from(x.data)
      for (let i = 0; i < repeats; i++) {
        const before = want
        want = before.map((_, index) => matmulEntry(before, data, n, index))
      }
      return relativeError(y, (i) => want[i] ?? Number.NaN, samples(n * n, n * n))
    },
  }
}

function trainStep(): Workload {
  const batch = 32
  const images = normal([batch, 1, 28, 28])
  const labels: Input = { shape: [batch], data: Float32Array.from({ length: batch }, (_, i) => i % 10) }
  const weights = Object.fromEntries(Object.entries(netShapes).map(([name, shape]) =>
    [name, normal(shape, Math.sqrt(2 / product(shape.slice(1))))])) as Record<keyof typeof netShapes, Input>
  const names = Object.keys(netShapes) as (keyof typeof netShapes)[]
  const macs = batch * (28 * 28 * 16 * 9 + 14 * 14 * 32 * 16 * 9 + 7 * 7 * 32 * 32 * 9 + 1568 * 10)
  return {
    id: 'train-step', kind: 'trainStep', title: 'training step, small conv net, batch 32', work: { amount: 6 * macs, unit: 'FLOP' },
    inputs: { images, labels, ...weights }, tolerance: 1e-3,
    // Descent moved the weights by Δ = −lr·g. The float64 loss must be the library's at the old weights, and must fall
    // along Δ at the rate |Δ|²/lr, which holds only if Δ is the gradient's direction at the gradient's length.
    error: ([loss = new Float32Array(1), ...flat]) => {
      const [old, moved] = [flat.slice(0, names.length), flat.slice(names.length)]
      const along = (h: number): number => netLoss(images, labels.data, Object.fromEntries(names.map((name, k) =>
        [name, Float64Array.from(old[k] ?? [], (w, i) => w + h * ((moved[k]?.[i] ?? 0) - w))])))
      const value = along(0)
      const length = names.reduce((sum, _, k) => sum + Array.from(old[k] ?? []).reduce((s, w, i) => s + ((moved[k]?.[i] ?? 0) - w) ** 2, 0), 0)
      const slope = (along(1e-3) - along(-1e-3)) / 2e-3
      return Math.max(Math.abs((loss[0] ?? Number.NaN) - value) / value, Math.abs(slope * learningRate + length) / length)
    },
  }
}

/** Workloads by id, made when asked for: some hold 200 MB. */
export const workloads: Readonly<Record<string, () => Workload>> = {
  'matmul-512': () => matmul(512),
  'matmul-1024': () => matmul(1024),
  'conv3x3-64x64x64': () => conv(64, 64),
  'conv3x3-32x32x320': () => conv(320, 32),
  attention,
  'group-norm-silu': normSilu,
  'add-16M': add,
  'add-chain': addChain,
  'matmul-chain': matmulChain,
  'train-step': trainStep,
}
