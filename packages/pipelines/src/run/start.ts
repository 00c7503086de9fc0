import { concat, evaluate, type Tensor, where } from '@antipode/core'
import { tensorLinear } from '@antipode/npo'
import { isDone, type Scheduler, type SchedulerState } from '@antipode/schedulers'
import { type Draws, toUNet } from '../latents/index.ts'
import { repeatRows } from '../prompt/index.ts'
import type { PreparedOptions, Request } from '../request/index.ts'
import type { Components } from './family.ts'

/** What a run starts from, evaluated. */
export interface Start {
  /** Unit normal, `[B, C, h, w]`. */
  readonly noise: Tensor
  /** Latents of the image, `[B, C, h, w]`. */
  readonly image: Tensor | undefined
  /**
   * What the UNet of an inpainting model sees beside the sample: the mask, and the latents of what it leaves, `[B, 1
   * + C, h, w]`.
   */
  readonly beside: Tensor | undefined
  /** 1 where the image is repainted, `[1, 1, h, w]`. */
  readonly mask: Tensor | undefined
}

/** Everything that the start of a run depends on. */
export interface StartCall {
  readonly components: Components
  readonly options: PreparedOptions
  readonly request: Request
  readonly draws: Draws
  /** Share of the steps that the image goes through. */
  readonly strength: number
}

/**
 * Noise and images as latents. A picture depends on the order of its draws, which is that of diffusers' pipelines: of
 * an image first the draw of its latents, then the noise, then the latents of what a mask leaves.
 */
export async function startOf(call: StartCall): Promise<Start> {
  const {
    components: { unet, vae },
    options: { image, mask: given, denoisingStart, latents },
    request: { rows, height, width },
    draws,
    strength,
  } = call
  const { latent_channels: channels = 4 } = vae.config
  const shape = [rows, channels, height / vae.scale, width / vae.scale]
  const repaint = given && where(given.lt(0.5), 0, 1) // [1, 1, H, W]
  const takesMask = inputChannels(unet) === 2 * channels + 1
  // An inpainting UNet begins at pure noise without looking at the image.
  const looks = image !== undefined && !(takesMask && strength === 1)
  const own = looks && image ? latentsOf(call, image) : undefined
  const noise = denoisingStart === undefined ? (latents ?? draws.draw(shape)) : own
  const left = repaint && image ? latentsOf(call, image, where(repaint, 0, 1)) : undefined
  const mask = repaint && smaller(repaint, vae.scale)
  const beside = takesMask && mask && left ? concat([mask.expand([rows, 1, ...shape.slice(2)]), left], 1) : undefined
  const start = { noise: noise as Tensor, image: own, beside, mask: takesMask ? undefined : mask }
  await evaluate(...tensorsOf(start))
  return start
}

/** Each tensor of it once. */
function tensorsOf({ noise, image, beside, mask }: Start): Tensor[] {
  return [...new Set([noise, image, beside, mask])].filter((t) => t !== undefined)
}

/** Those of its tensors that are the run's to dispose; what its user passed is not. */
export function madeFor(start: Start, { image, mask, latents }: PreparedOptions): Tensor[] {
  return tensorsOf(start).filter((t) => ![image, mask, latents].includes(t))
}

/** Channels that a UNet takes. */
export function inputChannels({ config }: Components['unet']): number {
  return config.in_channels ?? 4
}

/**
 * Pixels in [0, 1] as latents, `[B, C, h, w]`, drawn around their most likely ones; latents as they are. @param left
 * 1 where the image is seen
 */
function latentsOf({ components: { vae }, request: { rows }, draws }: StartCall, image: Tensor, left?: Tensor): Tensor {
  // With a stream for each image each draws latents of its own; of one stream one image is drawn once.
  const batch = draws.perImage ? rowsOf(image, rows) : image
  if (batch.shape[1] === vae.config.latent_channels && batch.shape[1] !== 3) return rowsOf(batch, rows)
  const pixels = batch.mul(2).sub(1)
  const distribution = vae.encode(left ? pixels.mul(left) : pixels)
  return rowsOf(toUNet(vae, distribution.sample(draws.draw(distribution.mean.shape))), rows)
}

const rowsOf = (t: Tensor, rows: number): Tensor => (t.shape[0] === rows ? t : repeatRows(t, rows))

/** Every f-th row and column, as torch's nearest neighbour takes them: `[1, 1, H, W]` -> `[1, 1, H/f, W/f]`. */
function smaller(mask: Tensor, f: number): Tensor {
  const [, , height = f, width = f] = mask.shape
  return mask
    .reshape([1, 1, height / f, f, width / f, f])
    .slice(3, 0, 1)
    .slice(5, 0, 1)
    .reshape([1, 1, height / f, width / f])
}

/**
 * Puts the image back where the mask leaves it, at the noise that the sample has by then (diffusers' inpainting of 4
 * channels).
 */
export function keepingImage(
  scheduler: Scheduler,
  { noise, image, mask }: Start,
): ((sample: Tensor, next: SchedulerState<Tensor>) => Tensor) | undefined {
  if (!image || !mask) return undefined
  return (sample, next) => {
    const kept = isDone(next) ? image : scheduler.addNoise(tensorLinear, image, noise, next)
    return kept.mul(mask.mul(-1).add(1)).add(sample.mul(mask))
  }
}
