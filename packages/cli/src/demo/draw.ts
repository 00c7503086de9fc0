import { compile, randn, type Tensor, type TensorHost } from '@antipode/core'
import type { UNet2DConditionModel } from '@antipode/models'
import { cfg, offsets, sampleToEnd } from '@antipode/npo'
import { digitsDenoiser, labelsOf, pixelLimit, solver, unconditional } from '../train/index.ts'

/** What to sample: which weights on either branch, from which noises. */
export interface DrawOptions {
  readonly positive: Readonly<Record<string, number>>
  readonly negative: Readonly<Record<string, number>>
  readonly scale: number
  readonly steps: number
  /** Images at a time. */
  readonly batch: number
  /** Same seed, same noises: this is what pairs arms. */
  readonly seed: number
  readonly labels: Int32Array
  readonly side: number
  readonly signal: AbortSignal
  readonly onBatch?: (images: number) => void
}

/** Samples one image per label, `[N, 1, side, side]`, clamped to [−1, 1] as a picture would be. */
export async function drawImages(device: TensorHost, unet: UNet2DConditionModel, options: DrawOptions): Promise<Float32Array> {
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
      steps, signal, x0: (x) => x.clamp(-pixelLimit, pixelLimit),
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
