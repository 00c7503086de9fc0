import { ShapeError, type Tensor } from '@antipode/core'

/**
 * Squared errors of a model's predictions, in f32. What a loss makes of them needs f32 also where the model computes in
 * f16: β times a difference of their means would magnify what f16 rounds off.
 * @throws {ShapeError} unless predictions have the shape of their targets
 */
export function squaredErrors(where: string, prediction: Tensor, target: Tensor): Tensor {
  if (prediction.shape.join() !== target.shape.join()) {
    const got = `[${prediction.shape.join()}] for [${target.shape.join()}]`
    throw new ShapeError(
      `${where}: expected predictions of the samples' shape, got ${got}; cut off what else the model predicts`,
    )
  }
  return prediction.to('f32').sub(target).square()
}

/** Means over all but the first axis, `[B, ...] -> [B]`. */
export function meanOfEach(x: Tensor): Tensor {
  const [batch = 1] = x.shape
  return x.reshape([batch, -1]).mean({ axes: 1 })
}

/** @throws {ShapeError} unless there are samples, each of `others` in their shape */
export function checkSamples(where: string, samples: Tensor, others: Readonly<Record<string, Tensor>>): void {
  const text = (t: Tensor): string => `[${t.shape.join()}]`
  if (samples.rank === 0 || samples.size === 0) {
    throw new ShapeError(
      `${where}: expected samples [B, ...] of at least one element, got ${text(samples)}; leave empty batches out`,
    )
  }
  for (const [name, t] of Object.entries(others)) {
    if (text(t) === text(samples)) continue
    const got = `${text(samples)} and ${text(t)}`
    throw new ShapeError(`${where}: expected samples and ${name} of one shape, got ${got}; draw or resize them alike`)
  }
}
