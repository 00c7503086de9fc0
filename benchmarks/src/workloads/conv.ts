import { convEntry, convInputEntry, convWeightEntry, relativeError, samples } from '../reference/index.ts'
import type { Kind, Workload } from '../workload.ts'
import { normals } from './normals.ts'

const directions = {
  conv3x3: { suffix: '', title: '', operands: ['x', 'w'] },
  conv3x3Input: { suffix: '-input-grad', title: ', input gradient', operands: ['g', 'w'] },
  conv3x3Weight: { suffix: '-weight-grad', title: ', weight gradient', operands: ['x', 'g'] },
} as const

/**
 * A 3×3 convolution of one image `[1,C,side,side]` with as many filters as channels, or one of its gradients from the gradient g
 * of its output. All three are as much work.
 */
export function conv(kind: keyof typeof directions & Kind, channels: number, side: number): Workload {
  const { suffix, title, operands } = directions[kind]
  const id = `conv3x3-${channels}x${side}x${side}${suffix}`
  return {
    id, kind, group: 'convolutions', title: `conv 3×3, ${channels} channels, ${side}×${side}${title}`,
    work: { amount: 2 * 9 * channels ** 2 * side ** 2, unit: 'FLOP' }, tolerance: 1e-5,
    make() {
      const normal = normals(id)
      const image = [1, channels, side, side]
      const all = { x: normal(image), w: normal([channels, channels, 3, 3], 0.05), g: normal(image) }
      const [x, w, g] = [all.x.data, all.w.data, all.g.data]
      const sizes = { channels, filters: channels, height: side, width: side, stride: 1 }
      const want = {
        conv3x3: (i: number) => convEntry(x, w, sizes, i),
        conv3x3Input: (i: number) => convInputEntry(g, w, sizes, i),
        conv3x3Weight: (i: number) => convWeightEntry(x, g, sizes, i),
      }[kind]
      return {
        inputs: Object.fromEntries(operands.map((name) => [name, all[name]])),
        error: ([y = new Float32Array()]) => relativeError(y, want, samples(kind === 'conv3x3Weight' ? w.length : x.length, 200)),
      }
    },
  }
}
