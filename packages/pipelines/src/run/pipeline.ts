import { ConfigError, evaluate, type Tensor } from '@antipode/core'
import { adapterNames } from '@antipode/core/nn'
import { abortSignal, checkOptions, type Ranges } from '@antipode/core/options'
import { sample, type SampleOptions, type SampleState, type SampleStep } from '@antipode/npo'
import type { Scheduler, StepsRequest } from '@antipode/schedulers'
import { Draws } from '../latents/index.ts'
import { type GenerateOptions, type Output, outputRange, type PreparedOptions, resolveRequest } from '../request/index.ts'
import { type PipelineAdapters, pipelineAdapters } from './adapters.ts'
import { cutOf } from './cut.ts'
import { decode } from './decode.ts'
import { denoiserOf, withBeside } from './denoiser.ts'
import { type Components, type Family, tensorsOf } from './family.ts'
import { knowsGuidance, withGuidance } from './guidance-embedding.ts'
import { imagesOf, type Outputs, settingsOf } from './outputs.ts'
import { prepared } from './pictures.ts'
import { inputChannels, keepingImage, madeFor, type Start, startOf } from './start.ts'

/** A step of a run. Its tensors live until the next one is asked for, or the loop is left. */
export interface PipelineStep extends Omit<SampleStep, 'sample' | 'state'> {
  /** `[B, C, h, w]` at the next noise level. */
  readonly latents: Tensor
}

/** Draws images. It owns its models: dispose it. */
export interface Pipeline<O extends GenerateOptions> extends Disposable {
  /**
   * Runs from prompts to images.
   * @throws {ConfigError | ShapeError} if an option is unknown, outside its range, or does not fit another
   * @throws {NumericError} if a sample is not finite
   */
  <K extends Output = 'images'>(options: O & { readonly output?: K }): Promise<Outputs[K]>
  /** The same, step by step, without the picture at the end: `pipe.decode(step.latents)` gives that of any step. Errors as a call. */
  stream(options: O): AsyncGenerator<PipelineStep, void>
  /** Latents `[B, C, h, w]`, as `output: 'latents'` gives them -> pixels `[B, 3, H, W]` in [0, 1]; dispose them. */
  decode(latents: Tensor, options?: { readonly signal?: AbortSignal }): Promise<Tensor>
  readonly components: Components
  readonly adapters: PipelineAdapters
}

/** Makes a pipeline of what a family adds to the run that all share. */
export function pipelineOf<O extends GenerateOptions>(family: Family<O>): Pipeline<O> {
  const { components, models } = family
  const ranges = { ...family.ranges, output: outputRange } as Ranges<O & { readonly output?: Output }>
  const generate = async <K extends Output = 'images'>(options: O & { readonly output?: K }): Promise<Outputs[K]> => {
    checkOptions(family.name, options, ranges)
    const latents = await latentsOf(family, options)
    const { output = 'images' } = options
    if (output === 'latents') return { latents } as Outputs[Output] as Outputs[K] // the output that was asked for
    try {
      const pixels = await decode(components.vae, latents, options.signal)
      if (output === 'pixels') return { pixels } as Outputs[Output] as Outputs[K] // as above
      const { guidanceScale } = family
      const images = await imagesOf(pixels, (row) => settingsOf(options, row, { guidanceScale, scheduler: components.scheduler.name }))
      pixels.dispose()
      return images as Outputs[Output] as Outputs[K] // as above
    } finally {
      latents.dispose()
    }
  }
  return Object.assign(generate, {
    async *stream(options: O): AsyncGenerator<PipelineStep, void> {
      checkOptions(family.name, options, family.ranges)
      const latents = yield* stepsOf(family, options)
      latents.dispose()
    },
    decode: (latents: Tensor, options: { readonly signal?: AbortSignal } = {}) => {
      checkOptions(family.name, options, { signal: abortSignal })
      return decode(components.vae, latents, options.signal)
    },
    components,
    adapters: pipelineAdapters(family.targets),
    [Symbol.dispose]() {
      for (const model of models) model.dispose()
    },
  })
}

async function latentsOf<O extends GenerateOptions>(family: Family<O>, options: O): Promise<Tensor> {
  const steps = stepsOf(family, options)
  for (;;) {
    const step = await steps.next()
    if (step.done) return step.value
  }
}

async function* stepsOf<O extends GenerateOptions>(family: Family<O>, given: O): AsyncGenerator<PipelineStep, Tensor> {
  const { components, name } = family
  const { unet, vae } = components
  given.signal?.throwIfAborted()
  const { options, made } = await prepared(unet.device, given, Math.max(8, vae.scale))
  const { guidanceScale: scale = family.guidanceScale, guidanceRescale: rescale = 0, guider, signal } = options
  const scheduler = options.scheduler ?? components.scheduler
  const channels = vae.config.latent_channels ?? 4
  const held = [...made]
  let latents: Tensor | undefined
  let taken = false
  try {
    const request = resolveRequest(options, { where: name, side: sideOf(unet).map((n) => n * vae.scale), scale: vae.scale, channels, adapters: family.models.flatMap(adapterNames) })
    checkChannels(family, options, channels)
    const distilled = knowsGuidance(unet)
    const told = family.conditions(options, request, !distilled && (guider !== undefined || scale > 1))
    const conditions = distilled ? withGuidance(components, told, scale, request.rows) : told
    const strength = options.strength ?? (options.mask ? 1 : family.strength)
    using draws = new Draws(unet.device, options.seed ?? 0)
    held.push(...tensorsOf(conditions))
    await evaluate(...held)
    const start = await startOf({ components, options, request, draws, strength })
    held.push(...madeFor(start, options))
    const denoise = denoiserOf(unet, conditions, start.beside, { scale, rescale, guider, positive: request.positive, negative: request.negative })
    const run = sample(denoise, scheduler, start.noise, withBeside(conditions.positive, start.beside), {
      ...stepsFor(name, scheduler, options, start, strength), stream: draws.rest,
      ...(options.preview === undefined ? {} : { preview: options.preview }), ...(signal ? { signal } : {}),
    })
    for await (const { sample: now, index, steps, timestep, x0 } of run) {
      latents = now
      yield { index, steps, timestep, latents: now, ...(x0 ? { x0 } : {}) }
    }
    taken = true
    return latents as Tensor // a run makes a call at least, or it throws
  } finally {
    if (!taken) latents?.dispose()
    for (const t of held) t.dispose()
  }
}

/** Where a run begins and ends, and what is put back after each step. */
function stepsFor(where: string, scheduler: Scheduler, options: PreparedOptions, start: Start, strength: number): SampleOptions {
  const { steps: asked = 50, denoisingStart, denoisingEnd } = options
  const request: StepsRequest = typeof asked === 'number' ? { count: asked } : asked
  // Inpainting of strength 1 begins at noise, image to image at an image that is hardly there.
  const partly = start.image !== undefined && denoisingStart === undefined && !(options.mask && strength === 1)
  const steps = partly ? { ...request, strength } : request
  const revise = keepingImage(scheduler, start)
  const shared = { steps, ...(partly && start.image ? { image: start.image } : {}), ...(revise ? { revise } : {}) }
  if (denoisingStart === undefined && denoisingEnd === undefined) return shared
  const plan = scheduler.timesteps(steps)
  const { first, after } = cutOf(where, scheduler, plan, { start: denoisingStart, end: denoisingEnd })
  const stop = after === plan.timesteps.length ? {} : { stopAt: after }
  if (denoisingStart === undefined) return { ...shared, ...stop }
  const step = (plan.starts ?? plan.timesteps.map((_, i) => i)).findIndex((call) => call >= first)
  const from: SampleState = { sample: start.noise, solver: scheduler.begin(plan, step), guidance: {}, stream: undefined }
  return { ...shared, ...stop, from }
}

/** Height and width that the UNet was trained on, in latents. */
function sideOf({ config: { sample_size: size } }: Components['unet']): readonly number[] {
  return typeof size === 'object' && size ? size : [size ?? 64, size ?? 64]
}

/** @throws {ConfigError} if the UNet takes other channels than such a run gives it */
function checkChannels<O extends GenerateOptions>({ name, components: { unet } }: Family<O>, { mask }: O, channels: number): void {
  const takes = inputChannels(unet)
  if (takes === channels || (takes === 2 * channels + 1 && mask)) return
  if (takes === 2 * channels + 1) throw new ConfigError(`${name}: expected an image and a mask, as the UNet is an inpainting one of ${takes} channels, got no mask; pass both`)
  throw new ConfigError(`${name}: expected a UNet of ${channels} or ${2 * channels + 1} input channels, got one of ${takes}`)
}
