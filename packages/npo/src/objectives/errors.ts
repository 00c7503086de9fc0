import { ShapeError, type Tensor } from '@antipode/core'
import type { Condition, Denoiser } from '../denoiser.ts'
import { noised, type NoiseDraw, targetOf } from '../process/index.ts'

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

/**
 * m(x): mean squared error of what is predicted for each of some samples `[B, ...]`, `[B]` f32; the weights of the draw
 * are left to the objective.
 * @throws {ShapeError} unless samples, noise and predictions have one shape, with at least one element
 * @throws {ConfigError} if the draw does not say what the model predicts
 */
export function sampleErrors<C extends Condition>(
  where: string, denoise: Denoiser<C>, samples: Tensor, draw: NoiseDraw & { readonly condition: C },
): Tensor {
  const { noise, timesteps, condition } = draw
  checkSamples(where, samples, { noise })
  const target = targetOf(where, samples, draw)
  return meanOfEach(squaredErrors(where, denoise(noised(samples, draw), timesteps, condition), target))
}

/**
 * Numbers of a batch's samples, `[B]`, times the weights of its draw, where it has some.
 * @throws {ShapeError} unless there is a weight a sample
 */
export function weighed(where: string, each: Tensor, weights: Tensor | undefined): Tensor {
  if (!weights) return each
  checkEach(where, each.shape[0] ?? 0, { weights })
  return each.mul(weights)
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

/** @throws {ShapeError} unless each of some tensors, by name, has one number for each of `count` samples */
export function checkEach(where: string, count: number, tensors: Readonly<Record<string, Tensor>>): void {
  for (const [name, { shape }] of Object.entries(tensors)) {
    if (shape.length === 1 && shape[0] === count) continue
    throw new ShapeError(
      `${where}: expected ${name} [${count}], got [${shape.join()}]; give one number for each sample or pair`,
    )
  }
}
