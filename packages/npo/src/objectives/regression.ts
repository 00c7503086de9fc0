import { ConfigError, ShapeError, type Tensor } from '@antipode/core'
import type { NoiseDraw } from './objective.ts'

/** The noised sample x_t of clean ones, computed in f32 and rounded once to their dtype, in which the model takes it. */
export function noised(clean: Tensor, { signal, sigma, noise }: NoiseDraw): Tensor {
  return clean.to('f32').mul(signal.to('f32')).add(noise.to('f32').mul(sigma.to('f32'))).to(clean.dtype)
}

/**
 * What the model learns to predict from the noised sample, f32: ε, v = √ᾱ·ε − √(1−ᾱ)·x₀ (Salimans and Ho 2022,
 * arXiv 2202.00512, section 4) or x₀.
 * @throws {ConfigError} unless the draw says which
 */
export function targetOf(where: string, clean: Tensor, { predictionType, signal, sigma, noise }: NoiseDraw): Tensor {
  switch (predictionType) {
    case 'epsilon':
      return noise.to('f32')
    case 'v_prediction':
      return noise.to('f32').mul(signal.to('f32')).sub(clean.to('f32').mul(sigma.to('f32')))
    case 'sample':
      return clean.to('f32')
    default:
      throw new ConfigError(
        `${where}: expected predictionType to be 'epsilon', 'v_prediction' or 'sample', got ${String(predictionType satisfies never)}; ` +
          "draw noise by drawNoise from the schedule of the model's scheduler",
      )
  }
}

/**
 * Squared errors of a model's predictions, in f32. What a loss makes of them needs f32 also where the model computes in f16:
 * β times a difference of their means would magnify what f16 rounds off.
 * @throws {ShapeError} unless predictions have the shape of their targets
 */
export function squaredErrors(where: string, prediction: Tensor, target: Tensor): Tensor {
  if (prediction.shape.join() !== target.shape.join()) {
    const got = `[${prediction.shape.join()}] for [${target.shape.join()}]`
    throw new ShapeError(`${where}: expected predictions of the samples' shape, got ${got}; cut off what else the model predicts`)
  }
  return prediction.to('f32').sub(target).square()
}

/** @throws {ShapeError} unless there are samples, each of `others` in their shape */
export function checkSamples(where: string, samples: Tensor, others: Readonly<Record<string, Tensor>>): void {
  const text = (t: Tensor): string => `[${t.shape.join()}]`
  if (samples.rank === 0 || samples.size === 0) {
    throw new ShapeError(`${where}: expected samples [B, ...] of at least one element, got ${text(samples)}; leave empty batches out`)
  }
  for (const [name, t] of Object.entries(others)) {
    if (text(t) === text(samples)) continue
    throw new ShapeError(`${where}: expected samples and ${name} of one shape, got ${text(samples)} and ${text(t)}; draw or resize them alike`)
  }
}
