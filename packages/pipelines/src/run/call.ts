import { ConfigError } from '@antipode/core'
import { adapterNames } from '@antipode/core/nn'
import { rescale } from '@antipode/npo'
import type { ModelPrediction, Scheduler, StepsRequest } from '@antipode/schedulers'
import { type GenerateOptions, type PreparedOptions, type Request, resolveRequest } from '../request/index.ts'
import type { GuidanceOptions } from './denoiser.ts'
import type { Components, Conditions, Family } from './family.ts'
import { knowsGuidance, withGuidance } from './guidance-embedding.ts'
import type { ImagePrompts } from './image-prompt.ts'
import { checkPreview } from './preview.ts'
import { inputChannels } from './start.ts'
import { stepsOf } from './steps-for.ts'

/** What a call of a pipeline means, with its defaults filled in; nothing is computed yet. */
export interface Call {
  readonly request: Request
  readonly conditions: Conditions
  readonly guidance: GuidanceOptions
  readonly scheduler: Scheduler
  readonly steps: StepsRequest
  /** Share of the steps that an image goes through. */
  readonly strength: number
  /** Channels of latents. */
  readonly channels: number
}

/** @throws {ConfigError | ShapeError} that names what does not fit */
export function callOf<O extends GenerateOptions>(
  family: Family<O>,
  options: O & PreparedOptions,
  images: ImagePrompts,
): Call {
  const { components, name } = family
  const { unet, vae } = components
  const { guidanceScale: scale = family.guidanceScale, guidanceRescale: phi = 0, perturbed } = options
  const guider = typeof options.guider === 'function' ? options.guider(scale) : options.guider
  if (perturbed !== undefined && !guider) {
    throw new ConfigError(`${name}: expected a guider that reads the perturbed branch, got none; pass perturbed(…) of npo`)
  }
  const scheduler = options.scheduler ?? components.scheduler
  const channels = vae.config.latent_channels ?? 4
  const request = resolveRequest(options, {
    where: name,
    side: sideOf(components),
    scale: vae.scale,
    channels,
    adapters: Object.values(family.models).flatMap(adapterNames),
  })
  checkChannels(family, options, channels)
  checkPreview(name, options.preview, channels)
  const strength = options.strength ?? (options.mask ? 1 : family.strength)
  const steps = stepsOf(scheduler, options, strength)
  const distilled = knowsGuidance(unet)
  const told = family.conditions(options, request, !distilled && (guider !== undefined || scale > 1))
  const { ipAdapter } = options
  const lookingAt = ({ positive, negative }: Conditions): Conditions => {
    if (!ipAdapter) return { positive, negative }
    return {
      positive: images.told(name, positive, ipAdapter.image, request.rows),
      negative: negative && images.told(name, negative, undefined, request.rows),
    }
  }
  return {
    request,
    conditions: lookingAt(distilled ? withGuidance(components, told, scale, request.rows) : told),
    guidance: {
      scale,
      rescale: phi,
      guider: guider && phi > 0 ? rescale(guider, { phi }) : guider,
      perturbed,
      predicts: predictionOf(scheduler),
      positive: request.positive,
      negative: request.negative,
      image: ipAdapter && images.adapter && { adapter: images.adapter, scale: ipAdapter.scale ?? 1 },
    },
    scheduler,
    steps,
    strength,
    channels,
  }
}

/** What a solver takes a model to predict: ε unless it says otherwise. */
function predictionOf({ config }: Scheduler): ModelPrediction {
  return 'predictionType' in config ? config.predictionType as ModelPrediction : 'epsilon' // that field of every solver
}

/** Height and width that the UNet was trained on, in pixels. */
export function sideOf({ unet: { config: { sample_size: size } }, vae: { scale } }: Components): readonly number[] {
  return (typeof size === 'object' && size ? size : [size ?? 64, size ?? 64]).map((n) => n * scale)
}

/** @throws {ConfigError} if the UNet takes other channels than such a run gives it */
function checkChannels<O extends GenerateOptions>(
  { name, components: { unet } }: Family<O>,
  { mask }: GenerateOptions,
  channels: number,
): void {
  const takes = inputChannels(unet)
  if (takes === channels || (takes === 2 * channels + 1 && mask)) return
  if (takes !== 2 * channels + 1) {
    throw new ConfigError(
      `${name}: expected a UNet of ${channels} or ${2 * channels + 1} input channels, got one of ${takes}`,
    )
  }
  throw new ConfigError(
    `${name}: expected an image and a mask, as the UNet is an inpainting one of ${takes} channels, got no mask; ` +
      'pass both',
  )
}
