import { type Backend, concat, evaluate, type Tensor, tensor } from '@antipode/core'
import type { Reward } from '@antipode/npo'
import { checkLabelled, type LabelledImages } from './data/index.ts'
import { LABELLER } from './rewards.ts'

/** Below it a sum of squares is that of a blank image, whose root has no slope. */
const blank = 1e-8

/**
 * {@link labellingReward} as a differentiable function of tensors: images `[B, 1, size, size]` f32 and their classes `[B]`
 * i32 to `[B]` rewards. Distances are taken as |x|² + |y|² − 2·x·y, so that it is within 10⁻⁴ of the other. The gradient is
 * that of the distance to the nearest reference. It owns a copy of the references on the device: dispose it.
 * @throws {ConfigError} if references are not what they say
 */
export async function tensorLabellingReward(
  device: Backend, reference: LabelledImages,
): Promise<Reward<Tensor> & Disposable> {
  checkLabelled('tensorLabellingReward', reference)
  const { size, count } = reference
  const pixels = size * size
  using images = tensor(device, reference.images, [count, 1, size, size])
  const known = tensor(device, reference.labels, [1, count], { dtype: 'i32' })
  const shelf = signatures(images)
  const lengths = squares(shelf).reshape([1, count])
  await evaluate(shelf, lengths)
  const reward: Reward<Tensor> = (samples, classes) => {
    const rows = samples.shape[0] ?? 0
    const x = signatures(samples)
    const apart = squares(x).reshape([rows, 1]).add(lengths).sub(x.matmul(shelf, { transposeB: true }).mul(2))
    const others = classes.reshape([rows, 1]).eq(known).to('f32').neg().add(1)
    const nearest = apart.add(others.mul(1e6)).min({ axes: [1] })
    return nearest.maximum(blank).div(pixels).sqrt().neg()
  }
  return Object.assign(reward, {
    [Symbol.dispose]: () => { for (const t of [known, shelf, lengths]) t.dispose() },
  })
}

/** Pixels, then the weighted magnitudes of ink and of edges, `[B, size² + 2]`: their squared distance is that of two images. */
function signatures(images: Tensor): Tensor {
  const [rows = 0, , height = 0, width = 0] = images.shape
  const ink = images.add(1)
  const total = (t: Tensor): Tensor => t.square().sum({ axes: [1, 2, 3] })
  // Beyond the last row and column there is paper, −1, so that the step there is that of the ink.
  const steps = [
    total(ink.slice(3, 1).sub(ink.slice(3, 0, width - 1))), total(ink.slice(3, width - 1)),
    total(ink.slice(2, 1).sub(ink.slice(2, 0, height - 1))), total(ink.slice(2, height - 1)),
  ]
  const edges = steps.reduce((sum, t) => sum.add(t))
  const magnitude = (sum: Tensor, weight: number): Tensor => sum.maximum(blank).mul(weight).sqrt().reshape([rows, 1])
  return concat([
    images.reshape([rows, height * width]), magnitude(total(ink), LABELLER.inkWeight), magnitude(edges, LABELLER.edgeWeight),
  ], 1)
}

function squares(rows: Tensor): Tensor {
  return rows.square().sum({ axes: [1] })
}
