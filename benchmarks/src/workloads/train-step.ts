import { netLoss, netShapes, sizeOf } from '../reference/index.ts'
import type { Input, Workload } from '../workload.ts'
import { normals } from './normals.ts'

/** Learning rate of the training step's plain gradient descent. */
export const learningRate = 0.05

/** One step of gradient descent on the cross-entropy of a small conv net, its loss read back. */
export function trainStep(): Workload {
  const batch = 32
  const macs = batch * (28 * 28 * 16 * 9 + 14 * 14 * 32 * 16 * 9 + 7 * 7 * 32 * 32 * 9 + 1568 * 10)
  return {
    id: 'train-step', kind: 'trainStep', group: 'training', title: 'training step, small conv net, batch 32',
    work: { amount: 6 * macs, unit: 'FLOP' }, tolerance: 1e-3,
    make() {
      const normal = normals('train-step')
      const images = normal([batch, 1, 28, 28])
      const labels: Input = { shape: [batch], data: Float32Array.from({ length: batch }, (_, i) => i % 10) }
      const weights = Object.fromEntries(Object.entries(netShapes).map(([name, shape]) =>
        [name, normal(shape, Math.sqrt(2 / sizeOf(shape.slice(1))))])) as Record<keyof typeof netShapes, Input>
      return { inputs: { images, labels, ...weights }, error: (outputs) => descentError(images, labels, outputs) }
    },
  }
}

/**
 * Descent moved the weights by Δ = −lr·g. The float64 loss must be the library's at the old weights, and must fall along Δ at the
 * rate |Δ|²/lr, which holds only if Δ is the gradient's direction at the gradient's length.
 */
function descentError(images: Input, labels: Input, [loss, ...flat]: readonly Float32Array[]): number {
  const names = Object.keys(netShapes)
  const [old, moved] = [flat.slice(0, names.length), flat.slice(names.length)]
  const along = (h: number): number => netLoss(images, labels.data, Object.fromEntries(names.map((name, k) =>
    [name, Float64Array.from(old[k] ?? [], (w, i) => w + h * ((moved[k]?.[i] ?? 0) - w))])))
  const value = along(0)
  const length = names.reduce((sum, _, k) => sum + Array.from(old[k] ?? []).reduce((s, w, i) => s + ((moved[k]?.[i] ?? 0) - w) ** 2, 0), 0)
  const slope = (along(1e-3) - along(-1e-3)) / 2e-3
  return Math.max(Math.abs((loss?.[0] ?? Number.NaN) - value) / value, Math.abs(slope * learningRate + length) / length)
}
