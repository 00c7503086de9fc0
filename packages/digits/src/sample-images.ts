import { compile, randn, type Tensor, type Backend } from '@antipode/core'
import { abortSignal, anObject, callable, checkOptions, finite, type Range, required, whole } from '@antipode/core/options'
import type { UNet2DConditionModel } from '@antipode/models'
import { cfg, offsets, sampleToEnd } from '@antipode/npo'
import { NO_DIGIT } from './digits-unet.ts'
import { digitsDenoiser, labelsOf, pixelLimit, solver, unconditional } from './task.ts'

/** What to sample: which weights on either branch, from which noises. */
export interface SampleImagesOptions {
  /** Weights of the model's adapters on either branch. */
  readonly positive: Readonly<Record<string, number>>
  readonly negative: Readonly<Record<string, number>>
  /** Of guidance; at 1 only the positive branch acts. */
  readonly scale: number
  /** Of the solver, whole, 1 or more. */
  readonly steps: number
  /** Images at a time, whole, 1 or more. */
  readonly batch: number
  /** Same seed, same noises: this is what pairs arms. Whole, in [0, 2⁵³). */
  readonly seed: number
  /** `[N]`, the class of each image, 0 to 9, or {@link NO_DIGIT}. */
  readonly labels: Int32Array
  /** Pixels a side: 16 or 28, as the model has them. */
  readonly side: number
  readonly signal?: AbortSignal
  /** Called after each batch with its size. */
  readonly onBatch?: (images: number) => void
}

const weights = anObject('weights of adapters by name')
const classes: Range = {
  expected: `an Int32Array of classes from 0 to ${NO_DIGIT}`,
  accepts: (v) => v instanceof Int32Array && v.every((label) => label >= 0 && label <= NO_DIGIT),
}

/**
 * Samples one image per label, `[N, 1, side, side]`, clamped to [−1, 1] as a picture would be.
 * @throws {ConfigError} if an option is unknown or outside its range @throws {NumericError} if a step is not finite
 */
export async function sampleImages(device: Backend, unet: UNet2DConditionModel, options: SampleImagesOptions): Promise<Float32Array> {
  checkOptions('sampleImages', options, {
    positive: required(weights), negative: required(weights), scale: required(finite), steps: required(whole(1)), batch: required(whole(1)),
    seed: required(whole(0)), labels: required(classes), side: required(whole(1)), signal: abortSignal, onBatch: callable,
  })
  const { positive, negative, scale, steps, batch, seed, labels, side, signal, onBatch } = options
  const denoise = compile(cfg<Tensor>({
    positive: digitsDenoiser(unet.with(offsets(positive))),
    negative: digitsDenoiser(unet.with(offsets(negative))),
    scale,
    unconditional,
  }))
  const pixels = side * side
  const images = new Float32Array(labels.length * pixels)
  for (let start = 0; start < labels.length; start += batch) {
    const part = labels.subarray(start, start + batch)
    const noise = randn(device, [part.length, 1, side, side], { seed, stream: start })
    using result = await sampleToEnd(denoise, solver, noise, labelsOf(device, part), {
      steps, ...(signal ? { signal } : {}), x0: (x) => x.clamp(-pixelLimit, pixelLimit),
    })
    images.set((await result.data()).map((v) => Math.min(1, Math.max(-1, v))), start * pixels)
    onBatch?.(part.length)
  }
  return images
}

/** Classes in turn: 0, 1, …, 9, 0, … */
export function digitsInTurn(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => i % 10)
}
