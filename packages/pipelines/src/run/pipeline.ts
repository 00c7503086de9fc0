import { Device, evaluate, type Tensor, UnsupportedError } from '@antipode/core'
import { abortSignal, callable, checkOptions, type Ranges } from '@antipode/core/options'
import { sample, type SampleOptions, type SampleState, type SampleStep } from '@antipode/npo'
import type { Scheduler, StepsRequest } from '@antipode/schedulers'
import { Draws } from '../latents/index.ts'
import type { Pixels } from '../images/index.ts'
import type { PipelineTextualInversions } from '../prompt/index.ts'
import { type GenerateOptions, type Output, outputRange, type PreparedOptions, tilingRange } from '../request/index.ts'
import { type PipelineAdapters, pipelineAdapters } from './adapters.ts'
import { callOf, sideOf } from './call.ts'
import { cutOf } from './cut.ts'
import { decode, type DecodeOptions } from './decode.ts'
import { denoiserOf, withBeside } from './denoiser.ts'
import { type Components, type Family, tensorsOf } from './family.ts'
import { focusOf } from './focus.ts'
import { ImagePrompts, type PipelineImagePrompts } from './image-prompt.ts'
import { imagesOf, type Outputs, settingsOf } from './outputs.ts'
import { prepared } from './pictures.ts'
import { type MemoryPlan, planOf } from './plan.ts'
import { previewOf } from './preview.ts'
import { keepingImage, madeFor, type Start, startOf } from './start.ts'

/** A step of a run. Its tensors live until the next one is asked for, or the loop is left. */
export interface PipelineStep extends Omit<SampleStep, 'sample' | 'state'> {
  /** `[B, C, h, w]` at the next noise level. */
  readonly latents: Tensor
  /** The picture that this step comes to, for each row, where `preview` asks for it; call it before the next step. */
  readonly picture?: () => Promise<readonly Pixels[]>
}

/** What a call takes beside what a stream takes. */
export interface CallOptions<K extends Output = Output> {
  /** `images` by default. */
  readonly output?: K
  /** Called after each step, and waited for. */
  readonly onStep?: (step: PipelineStep) => void | Promise<void>
}

/** Draws images. It owns its models: dispose it. */
export interface Pipeline<O extends GenerateOptions> extends Disposable {
  /**
   * Runs from prompts to images.
   * @throws {ConfigError | ShapeError} if an option is unknown, outside its range, or does not fit another
   * @throws {NumericError} if a sample is not finite
   */
  <K extends Output = 'images'>(options: O & CallOptions<K>): Promise<Outputs[K]>
  /**
   * The same, step by step, without the picture at the end: `pipe.decode(step.latents)` gives that of any step.
   * Errors as a call.
   */
  stream(options: O): AsyncGenerator<PipelineStep, void>
  /** Latents `[B, C, h, w]`, as `output: 'latents'` gives them -> pixels `[B, 3, H, W]` in [0, 1]; dispose them. */
  decode(latents: Tensor, options?: DecodeOptions): Promise<Tensor>
  /**
   * Bytes of the GPU that such a call takes, known before anything runs; images are left out.
   * @throws {UnsupportedError} if the models are on no {@link Device}; and as a call
   */
  plan(options: O): MemoryPlan
  readonly components: Components
  readonly adapters: PipelineAdapters
  readonly textualInversions: PipelineTextualInversions
  readonly ipAdapter: PipelineImagePrompts
}

/** Makes a pipeline of what a family adds to the run that all share. */
export function pipelineOf<O extends GenerateOptions>(family: Family<O>): Pipeline<O> {
  const { components, models } = family
  const images = new ImagePrompts(components.unet)
  const ranges = { ...family.ranges, output: outputRange, onStep: callable } as Ranges<O & CallOptions>
  const generate = async <K extends Output = 'images'>(options: O & CallOptions<K>): Promise<Outputs[K]> => {
    checkOptions(family.name, options, ranges)
    const latents = await latentsOf(family, images, options)
    const { output = 'images' } = options
    if (output === 'latents') return { latents } as Outputs[Output] as Outputs[K] // the output that was asked for
    try {
      const pixels = await decode(components.vae, latents, options)
      if (output === 'pixels') return { pixels } as Outputs[Output] as Outputs[K] // as above
      const { guidanceScale } = family
      try {
        const defaults = { guidanceScale, scheduler: components.scheduler.name }
        const back = focusOf(family.name, options, sideOf(components))?.back
        const images = await imagesOf(pixels, (row) => settingsOf(options, row, defaults), back)
        return images as Outputs[Output] as Outputs[K] // as above
      } finally {
        pixels.dispose()
      }
    } finally {
      latents.dispose()
    }
  }
  return Object.assign(generate, {
    async *stream(options: O): AsyncGenerator<PipelineStep, void> {
      checkOptions(family.name, options, family.ranges)
      const latents = yield* stepsOf(family, images, options)
      latents.dispose()
    },
    decode: (latents: Tensor, options: DecodeOptions = {}) => {
      checkOptions(family.name, options, { tiling: tilingRange, signal: abortSignal })
      return decode(components.vae, latents, options)
    },
    plan({ image, mask, maskPadding, ipAdapter, ...options }: O) {
      checkOptions(family.name, options as O, ranges)
      const { device } = components.unet
      if (device instanceof Device) return planOf(device, family, options as O & PreparedOptions) // without images
      throw new UnsupportedError(`${family.name}: expected models on a Device to plan for, got another backend`)
    },
    components,
    adapters: pipelineAdapters(family.targets),
    textualInversions: family.words,
    ipAdapter: images,
    [Symbol.dispose]() {
      family.words[Symbol.dispose]()
      images[Symbol.dispose]()
      for (const model of models) model.dispose()
    },
  })
}

async function latentsOf<O extends GenerateOptions>(
  family: Family<O>,
  images: ImagePrompts,
  { onStep, ...options }: O & CallOptions,
): Promise<Tensor> {
  const steps = stepsOf(family, images, options as unknown as O) // without what is the call's
  try {
    for (;;) {
      const step = await steps.next()
      if (step.done) return step.value
      await onStep?.(step.value)
    }
  } catch (error) {
    // Whoever was told of a step may throw: what the run holds goes.
    await steps.return(undefined as never)
    throw error
  }
}

async function* stepsOf<O extends GenerateOptions>(
  family: Family<O>,
  images: ImagePrompts,
  given: O,
): AsyncGenerator<PipelineStep, Tensor> {
  const { components, name } = family
  const { unet, vae } = components
  given.signal?.throwIfAborted()
  const asked = focusOf(name, given, sideOf(components))?.options ?? given
  const { options, made } = await prepared(unet.device, asked, Math.max(8, vae.scale))
  const { signal, preview = false } = options
  const held = [...made]
  let latents: Tensor | undefined
  let taken = false
  try {
    const { request, conditions, guidance, scheduler, strength } = callOf(family, options, images)
    using draws = new Draws(unet.device, options.seed ?? 0)
    held.push(...tensorsOf(conditions))
    await evaluate(...held)
    const start = await startOf({ components, options, request, draws, strength })
    held.push(...madeFor(start, options))
    const denoise = denoiserOf(unet, conditions, start.beside, guidance)
    const run = sample(denoise, scheduler, start.noise, withBeside(conditions.positive, start.beside), {
      ...stepsFor(name, scheduler, options, start, strength),
      stream: draws.rest,
      preview: preview !== false,
      ...(signal ? { signal } : {}),
    })
    for await (const { sample: now, index, steps, timestep, x0 } of run) {
      latents = now
      const shown = x0 && { x0, picture: () => previewOf(x0, preview, family.colours) }
      yield { index, steps, timestep, latents: now, ...shown }
    }
    taken = true
    return latents as Tensor // a run makes a call at least, or it throws
  } finally {
    if (!taken) latents?.dispose()
    for (const t of held) t.dispose()
  }
}

/** Where a run begins and ends, and what is put back after each step. */
function stepsFor(
  where: string,
  scheduler: Scheduler,
  options: PreparedOptions,
  start: Start,
  strength: number,
): SampleOptions {
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
  const from: SampleState = {
    sample: start.noise,
    solver: scheduler.begin(plan, step),
    guidance: {},
    stream: undefined,
  }
  return { ...shared, ...stop, from }
}
