import { type Backend, CheckpointError, inBlocks, OutOfMemoryError } from '@antipode/core'
import { checkFit, type Module, type ParameterTypes, placeholders } from '@antipode/core/nn'
import { checkArgument, checkOptions, oneOf, type Range, whole } from '@antipode/core/options'
import {
  autoencoderKL,
  checkpointRanges,
  type CheckpointSource,
  type Component,
  type CLIPTokenizer,
  clipTextModel,
  clipTextModelWithProjection,
  type ConfiguredModel,
  type ModelEntry,
  openCheckpoint,
  type OpenCheckpoint,
  type OpenCheckpointOptions,
  readClipTokenizer,
  unet2DCondition,
} from '@antipode/models'
import type { PipelineMemory } from '../memory/index.ts'
import { fromConfig } from '@antipode/schedulers'
import type { Components, Pipeline } from '../run/index.ts'
import { stableDiffusion } from '../stable-diffusion/index.ts'
import { stableDiffusionXL, type StableDiffusionXLOptions } from '../stable-diffusion-xl/index.ts'

/** What the weights of a pipeline are kept in. */
const pipelineTypes = ['f32', 'f16', 'bf16', 'q8_0', 'q4_0'] as const
export type PipelineType = (typeof pipelineTypes)[number]

/** Options of {@link loadPipeline}, beside those of opening a checkpoint. */
export interface LoadPipelineOptions extends OpenCheckpointOptions {
  /**
   * Element type that the models keep their weights and compute in: f16 where the device has it, or else f32, by
   * default. An autoencoder whose configuration says that f16 is too narrow for it computes in f32. With `q8_0` or
   * `q4_0` the linear and convolution layers of UNet and text encoders keep their weights in blocks of ggml, those of a
   * GGUF file as they are, and all else is as by default.
   */
  readonly dtype?: PipelineType
  /**
   * Bytes of the GPU that a call may take at once, weights included; no limit by default. Where it asks for that, what
   * `plan` of the pipeline says is done: branches of guidance one after the other, models on the GPU only while they
   * are needed, pictures decoded in tiles; and where a picture of the size that the model was trained on would not fit
   * even so, `dtype` is `q8_0` unless it is given. Models then come to the GPU when a call needs them, from the
   * checkpoint, which stays open until the pipeline is disposed; calls wait for each other.
   */
  readonly budget?: number
}

const aDevice: Range = {
  expected: 'a Device, as await Device.request() gives it',
  accepts: (v) => typeof v === 'object' && v !== null && 'target' in v,
}

/**
 * A pipeline of Stable Diffusion 1.x, 2.x or XL from a checkpoint. Options that only XL has are refused by the others.
 * Where anything fails, nothing stays on the device.
 * @throws {CheckpointError} if it is no such checkpoint, lacks a part, or a part does not fit its configuration
 * @throws {ConfigError} on an option that is unknown or outside its range
 */
export async function loadPipeline(
  device: Backend,
  source: CheckpointSource,
  options: LoadPipelineOptions = {},
): Promise<Pipeline<StableDiffusionXLOptions>> {
  checkArgument('loadPipeline', 'device', device, aDevice)
  checkOptions('loadPipeline', options, { dtype: oneOf(...pipelineTypes), budget: whole(1), ...checkpointRanges })
  const usual = device.target.f16 ? 'f16' : 'f32'
  const { dtype: asked = usual, budget, ...opening } = options
  const types = inBlocks(asked) ? { dtype: usual, weights: asked } as const : { dtype: asked }
  const checkpoint = await openCheckpoint(source, opening)
  const loaded = new Loading(device, checkpoint, types, budget)
  try {
    const pipe = await pipelineFrom(loaded)
    if (budget === undefined) await checkpoint[Symbol.asyncDispose]()
    else if (options.dtype === undefined && !fits(pipe)) {
      pipe[Symbol.dispose]()
      return await loadPipeline(device, source, { ...options, dtype: 'q8_0' })
    }
    return pipe
  } catch (error) {
    loaded.dispose()
    await checkpoint[Symbol.asyncDispose]()
    throw error
  }
}

/** Whether a picture of the model's own size can be drawn within the budget, as far as a prompt alone tells. */
function fits(pipe: Pipeline<StableDiffusionXLOptions>): boolean {
  try {
    pipe.plan({ prompt: '' })
  } catch (error) {
    // Models for inpainting need more than a prompt, and some backends plan nothing.
    return !(error instanceof OutOfMemoryError)
  }
  return true
}

async function pipelineFrom(loading: Loading): Promise<Pipeline<StableDiffusionXLOptions>> {
  const { className } = loading.checkpoint
  if (className.startsWith('StableDiffusionXL')) return await xl(loading)
  if (className.startsWith('StableDiffusion')) return await sd(loading)
  throw new CheckpointError(
    `loadPipeline: expected a checkpoint of StableDiffusionPipeline or StableDiffusionXLPipeline, or of one that has their parts, got ${className}; ` +
      'pass the folder or file of a whole pipeline',
  )
}

async function sd(loading: Loading): Promise<Pipeline<StableDiffusionXLOptions>> {
  const components = {
    ...(await shared(loading)),
    textEncoder: await loading.model('text_encoder', clipTextModel),
    tokenizer: await loading.tokenizer('tokenizer'),
  }
  return stableDiffusion(components, loading.memory)
}

async function xl(loading: Loading): Promise<Pipeline<StableDiffusionXLOptions>> {
  const zeros = loading.checkpoint.config['force_zeros_for_empty_prompt']
  const components = {
    ...(await shared(loading)),
    ...(loading.has('text_encoder')
      ? {
          textEncoder: await loading.model('text_encoder', clipTextModel),
          tokenizer: await loading.tokenizer('tokenizer'),
        }
      : {}),
    textEncoder2: await loading.model('text_encoder_2', clipTextModelWithProjection),
    tokenizer2: await loading.tokenizer('tokenizer_2'),
    ...(typeof zeros === 'boolean' ? { forceZerosForEmptyPrompt: zeros } : {}),
  }
  return stableDiffusionXL(components, loading.memory)
}

async function shared(loading: Loading): Promise<Components> {
  return {
    scheduler: fromConfig(loading.checkpoint.component('scheduler').config),
    unet: await loading.model('unet', unet2DCondition),
    vae: await loading.model('vae', autoencoderKL),
  }
}

/** The parts of a checkpoint as they are brought to a device, and what to free where one cannot be. */
class Loading {
  readonly checkpoint: OpenCheckpoint
  readonly #device: Backend
  readonly #types: ParameterTypes
  readonly #budget: number | undefined
  /** How each model gets its weights. */
  readonly #models = new Map<Module, () => Promise<void>>()

  constructor(device: Backend, checkpoint: OpenCheckpoint, types: ParameterTypes, budget: number | undefined) {
    this.#device = device
    this.checkpoint = checkpoint
    this.#types = types
    this.#budget = budget
  }

  /** Where a pipeline within a budget has its weights from. */
  get memory(): PipelineMemory | undefined {
    if (this.#budget === undefined) return undefined
    return {
      dtype: this.#types.weights ?? this.#types.dtype ?? 'f32',
      budget: this.#budget,
      bring: async (model) => this.#models.get(model)?.(),
      close: () => void this.checkpoint[Symbol.asyncDispose](),
    }
  }

  has(name: string): boolean {
    return this.checkpoint.components.has(name)
  }

  /** @throws {CheckpointError} if the part is of another class, or its weights do not fit its configuration */
  async model<M extends ConfiguredModel>(name: string, entry: ModelEntry<M>): Promise<M> {
    const { className, config, weights } = this.checkpoint.component(name)
    if (className !== entry.className) {
      throw new CheckpointError(
        `loadPipeline: expected ${name} of the class ${entry.className}, got ${className}; the checkpoint is of another kind of pipeline`,
      )
    }
    const state = await weights()
    const model = entry.build(placeholders(this.#device, this.#typesOf(className, config)), config, [...state.names()].length)
    const names = entry.names?.(state) ?? state
    this.#models.set(model, () => model.load(names))
    if (this.#budget === undefined) await model.load(names)
    else checkFit(model.state(), names, true)
    return model
  }

  /** Pictures show what a decoder's weights lose, of which there are few. */
  #typesOf(className: string, config: Component['config']): ParameterTypes {
    const { dtype = 'f32' } = this.#types
    if (className !== autoencoderKL.className) return this.#types
    return { dtype: dtype === 'f16' && config['force_upcast'] === true ? 'f32' : dtype }
  }

  /** @throws {CheckpointError} if its files are missing, or are no tokenizer's */
  async tokenizer(name: string): Promise<CLIPTokenizer> {
    const part = this.checkpoint.component(name)
    return await readClipTokenizer(part, part.config)
  }

  /** Frees what was brought to the device. */
  dispose(): void {
    for (const model of this.#models.keys()) model.dispose()
  }
}
