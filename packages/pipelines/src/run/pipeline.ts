import { DisposedError, evaluate, type Tensor } from '@antipode/core'
import { abortSignal, callable, checkOptions, type Ranges } from '@antipode/core/options'
import { sample, type SampleStep } from '@antipode/npo'
import type { Pixels } from '../images/index.ts'
import { Draws } from '../latents/index.ts'
import { type MemoryChoices, type MemoryPlan, type Phase, type PipelineMemory, Residence } from '../memory/index.ts'
import type { PipelineTextualInversions } from '../prompt/index.ts'
import { type GenerateOptions, type Output, outputRange, tilingRange } from '../request/index.ts'
import { type PipelineAdapters, pipelineAdapters } from './adapters.ts'
import { callOf, sideOf } from './call.ts'
import { decode, type DecodeOptions, tilesWithin } from './decode.ts'
import { denoiserOf, withBeside } from './denoiser.ts'
import { type Components, type Family, tensorsOf } from './family.ts'
import { focusOf } from './focus.ts'
import { ImagePrompts, type PipelineImagePrompts } from './image-prompt.ts'
import { imagesOf, type Outputs, settingsOf } from './outputs.ts'
import { prepared, unprepared } from './pictures.ts'
import { type Planning, planningOf } from './plan.ts'
import { previewOf } from './preview.ts'
import { madeFor, startOf } from './start.ts'
import { stepsFor } from './steps-for.ts'

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
   * @throws {OutOfMemoryError} if it cannot be kept within the budget
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
   * Bytes of the GPU that such a call takes, and how it is kept within a budget, known before anything runs.
   * @throws {OutOfMemoryError} if it cannot be kept within the budget: the message says the smallest that would do
   * @throws {UnsupportedError} if nothing can plan where the models are; and as a call
   */
  plan(options: O): MemoryPlan
  readonly components: Components
  readonly adapters: PipelineAdapters
  readonly textualInversions: PipelineTextualInversions
  readonly ipAdapter: PipelineImagePrompts
}

/** Makes a pipeline of what a family adds to the run that all share. */
export function pipelineOf<O extends GenerateOptions>(family: Family<O>, memory?: PipelineMemory): Pipeline<O> {
  const { components } = family
  const images = new ImagePrompts(components.unet)
  const ranges = { ...family.ranges, output: outputRange, onStep: callable } as Ranges<O & CallOptions>
  let disposed = false
  const check = (): void => {
    if (!disposed) return
    throw new DisposedError(`${family.name}: expected a pipeline that is there, got one that was disposed; await its calls before that`)
  }
  const run: Run<O> = {
    family, residence: new Residence(family.models, memory), plan: planningOf(family, images, memory), memory, images, check,
  }
  const { residence } = run
  const generate = async <K extends Output = 'images'>(options: O & CallOptions<K>): Promise<Outputs[K]> => {
    checkOptions(family.name, options, ranges)
    // Made of the output that was asked for.
    return residence.inTurn(async () => (await outputOf(run, options)) as Outputs[Output] as Outputs[K])
  }
  return Object.assign(generate, {
    async *stream(options: O): AsyncGenerator<PipelineStep, void> {
      checkOptions(family.name, options, family.ranges)
      const { latents } = yield* stepsOf(run, options)
      latents.dispose()
    },
    async decode(latents: Tensor, options: DecodeOptions = {}) {
      checkOptions(family.name, options, { tiling: tilingRange, signal: abortSignal })
      check()
      await residence.enter('decode', Object.keys(family.models), options.signal)
      return await decode(components.vae, latents, { ...options, tiling: options.tiling ?? tilesBeside(run, latents) })
    },
    plan(options: O) {
      checkOptions(family.name, options, ranges)
      check()
      return run.plan(unprepared(components.unet.device, focused(family, options), multipleOf(components)))
    },
    components,
    adapters: pipelineAdapters(family.targets),
    textualInversions: family.words,
    ipAdapter: images,
    [Symbol.dispose]() {
      disposed = true
      family.words[Symbol.dispose]()
      images[Symbol.dispose]()
      run.plan[Symbol.dispose]()
      residence.dispose()
    },
  })
}

/** What the runs of a pipeline have in common. */
interface Run<O extends GenerateOptions> {
  readonly family: Family<O>
  readonly residence: Residence
  readonly plan: Planning<O>
  readonly memory: PipelineMemory | undefined
  readonly images: ImagePrompts
  /** @throws {DisposedError} if the pipeline was disposed */
  readonly check: () => void
}

/** What a run ends in: latents, and how it was kept within a budget, if there is one. */
interface Sampled {
  readonly latents: Tensor
  readonly choices: MemoryChoices | undefined
}

/** Sides of pictures are multiples of it. */
const multipleOf = ({ vae }: Components): number => Math.max(8, vae.scale)

/** A request for the part of the image around the mask, where that is all that is repainted. */
const focused = <O extends GenerateOptions>({ name, components }: Family<O>, options: O): O =>
  focusOf(name, options, sideOf(components))?.options ?? options

async function outputOf<O extends GenerateOptions>(run: Run<O>, options: O & CallOptions<Output>): Promise<Outputs[Output]> {
  const { family: { name, components, guidanceScale }, residence } = run
  const { latents, choices } = await sampled(run, options)
  const { output = 'images', signal } = options
  if (output === 'latents') return { latents }
  try {
    await residence.enter('decode', choices?.leaving ?? [], signal)
    const pixels = await decode(components.vae, latents, { ...options, tiling: options.tiling ?? choices?.tiling })
    if (output === 'pixels') return { pixels }
    try {
      const defaults = { guidanceScale, scheduler: components.scheduler.name }
      const back = focusOf(name, options, sideOf(components))?.back
      return await imagesOf(pixels, (row) => settingsOf(options, row, defaults), back)
    } finally {
      pixels.dispose()
    }
  } finally {
    latents.dispose()
  }
}

async function sampled<O extends GenerateOptions>(
  run: Run<O>,
  { onStep, ...options }: O & CallOptions<Output>,
): Promise<Sampled> {
  const steps = stepsOf(run, options as unknown as O) // without what is the call's
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

async function* stepsOf<O extends GenerateOptions>(run: Run<O>, given: O): AsyncGenerator<PipelineStep, Sampled> {
  const { family, residence, memory, images, check } = run
  const { components, name } = family
  const { unet } = components
  check()
  given.signal?.throwIfAborted()
  const { options, made } = await prepared(unet.device, focused(family, given), multipleOf(components))
  const { signal, onPlan, preview = false } = options
  const held = [...made]
  let latents: Tensor | undefined
  let taken = false
  try {
    const plan = memory || onPlan ? run.plan(options) : undefined
    if (plan) onPlan?.(plan)
    const choices = memory && plan?.choices
    const enter = (phase: Phase): Promise<void> => residence.enter(phase, choices?.leaving ?? [], signal)
    await enter('prompts')
    const { request, conditions, guidance, scheduler, strength, steps: asked } = callOf(family, options, images)
    using draws = new Draws(unet.device, options.seed ?? 0)
    held.push(...tensorsOf(conditions))
    await evaluate(...held)
    if (options.image) await enter('start')
    const start = await startOf({ components, options, request, draws, strength })
    held.push(...madeFor(start, options))
    await enter('step')
    const denoise = denoiserOf(unet, conditions, start.beside, { ...guidance, ...(choices ? { branches: choices.branches } : {}) })
    const steps = sample(denoise, scheduler, start.noise, withBeside(conditions.positive, start.beside), {
      ...stepsFor(name, scheduler, options, start, asked),
      stream: draws.rest,
      preview: preview !== false,
      ...(signal ? { signal } : {}),
    })
    for await (const { sample: now, index, steps: count, timestep, x0 } of steps) {
      latents = now
      const shown = x0 && { x0, picture: () => previewOf(x0, preview, family.colours) }
      yield { index, steps: count, timestep, latents: now, ...shown }
      check()
      // Whoever looked at a step may have decoded it.
      if (index < count - 1) await enter('step')
    }
    taken = true
    return { latents: latents as Tensor, choices } // a run makes a call at least, or it throws
  } finally {
    if (!taken) latents?.dispose()
    for (const t of held) t.dispose()
  }
}

/** Tiles of latents that are decoded by themselves, with no other model on the GPU. */
function tilesBeside<O extends GenerateOptions>({ family, memory }: Run<O>, latents: Tensor): DecodeOptions['tiling'] {
  if (!memory) return undefined
  return tilesWithin(family.components.vae, latents, memory.budget)
}
