import type { Input } from '../workload.ts'
import { type Conv, convEntry } from './conv.ts'
import { at } from './entries.ts'

/** Weights of the small conv net by name; see {@link netLoss}. */
export const netShapes = {
  conv1: [16, 1, 3, 3], conv2: [32, 16, 3, 3], conv3: [32, 32, 3, 3], dense: [10, 1568],
} as const
const layers: readonly (readonly ['conv1' | 'conv2' | 'conv3', Conv])[] = [
  ['conv1', { channels: 1, filters: 16, height: 28, width: 28, stride: 1 }],
  ['conv2', { channels: 16, filters: 32, height: 28, width: 28, stride: 2 }],
  ['conv3', { channels: 32, filters: 32, height: 14, width: 14, stride: 2 }],
]

/** Mean cross-entropy of three 3×3 convolutions with ReLU (strides 1, 2, 2) and a dense layer on `[B,1,28,28]`; no biases. */
export function netLoss(images: Input, labels: ArrayLike<number>, weights: Readonly<Record<string, ArrayLike<number>>>): number {
  const batch = images.shape[0] ?? 0
  let x: ArrayLike<number> = images.data
  for (const [name, conv] of layers) {
    const size = batch * conv.filters * Math.ceil(conv.height / conv.stride) * Math.ceil(conv.width / conv.stride)
    const [from, w]: [ArrayLike<number>, ArrayLike<number>] = [x, weights[name] ?? []]
    x = Float64Array.from({ length: size }, (_, i) => Math.max(0, convEntry(from, w, conv, i)))
  }
  const dense = weights['dense'] ?? []
  const features = x.length / batch
  let loss = 0
  for (let b = 0; b < batch; b++) {
    const logits = Float64Array.from({ length: 10 }, (_, o) => {
      let sum = 0
      for (let i = 0; i < features; i++) sum += at(x, b * features + i) * at(dense, o * features + i)
      return sum
    })
    loss += Math.log(logits.reduce((s, v) => s + Math.exp(v), 0)) - at(logits, at(labels, b))
  }
  return loss / batch
}
