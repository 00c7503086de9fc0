import { type Backend, CheckpointError, type DType } from '@antipode/core'
import { type Module, placeholders } from '@antipode/core/nn'
import { checkArgument, oneOf } from '@antipode/core/options'
import {
  autoencoderKL,
  type CheckpointSource,
  CLIPTokenizer,
  clipTextModel,
  clipTextModelWithProjection,
  type ConfiguredModel,
  type ModelEntry,
  openCheckpoint,
  type OpenCheckpoint,
  type OpenCheckpointOptions,
  unet2DCondition,
} from '@antipode/models'
import { fromConfig } from '@antipode/schedulers'
import type { Components, Pipeline } from '../run/index.ts'
import { stableDiffusion } from '../stable-diffusion/index.ts'
import { stableDiffusionXL, type StableDiffusionXLOptions } from '../stable-diffusion-xl/index.ts'

/** Options of {@link loadPipeline}, beside those of opening a checkpoint. */
export interface LoadPipelineOptions extends OpenCheckpointOptions {
  /**
   * Element type that the models keep their weights and compute in: f16 where the device has it, or else f32, by
   * default. An autoencoder whose configuration says that f16 is too narrow for it computes in f32.
   */
  readonly dtype?: Extract<DType, 'f32' | 'f16' | 'bf16'>
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
  const { dtype = device.target.f16 ? 'f16' : 'f32', ...opening } = options
  checkArgument('loadPipeline', 'dtype', dtype, oneOf('f32', 'f16', 'bf16'))
  await using checkpoint = await openCheckpoint(source, opening)
  const loaded = new Loading(device, checkpoint, dtype)
  try {
    if (checkpoint.className.startsWith('StableDiffusionXL')) return await xl(loaded)
    if (checkpoint.className.startsWith('StableDiffusion')) return await sd(loaded)
    throw new CheckpointError(
      `loadPipeline: expected a checkpoint of StableDiffusionPipeline or StableDiffusionXLPipeline, or of one that has their parts, got ${checkpoint.className}; ` +
        'pass the folder or file of a whole pipeline',
    )
  } catch (error) {
    loaded.dispose()
    throw error
  }
}

async function sd(loading: Loading): Promise<Pipeline<StableDiffusionXLOptions>> {
  return stableDiffusion({
    ...(await shared(loading)),
    textEncoder: await loading.model('text_encoder', clipTextModel),
    tokenizer: await loading.tokenizer('tokenizer'),
  })
}

async function xl(loading: Loading): Promise<Pipeline<StableDiffusionXLOptions>> {
  const zeros = loading.checkpoint.config['force_zeros_for_empty_prompt']
  return stableDiffusionXL({
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
  })
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
  readonly #dtype: DType
  readonly #models: Module[] = []

  constructor(device: Backend, checkpoint: OpenCheckpoint, dtype: DType) {
    this.#device = device
    this.checkpoint = checkpoint
    this.#dtype = dtype
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
    const narrow = this.#dtype === 'f16' && (config as { readonly force_upcast?: boolean }).force_upcast === true
    const model = entry.build(
      placeholders(this.#device, { dtype: narrow ? 'f32' : this.#dtype }),
      config,
      [...state.names()].length,
    )
    await model.load(entry.names?.(state) ?? state)
    this.#models.push(model)
    return model
  }

  /** @throws {CheckpointError} if its files are missing, or are no tokenizer's */
  async tokenizer(name: string): Promise<CLIPTokenizer> {
    const part = this.checkpoint.component(name)
    const json = async (file: string): Promise<object | undefined> => {
      const text = await part.text(file)
      return text === undefined ? undefined : (JSON.parse(text) as object) // the tokenizer checks what it holds
    }
    return CLIPTokenizer.from({
      tokenizer: await json('tokenizer.json'),
      config: part.config,
      vocab: await json('vocab.json'),
      merges: await part.text('merges.txt'),
      specialTokens: await json('special_tokens_map.json'),
    })
  }

  /** Frees what was brought to the device. */
  dispose(): void {
    for (const model of this.#models) model.dispose()
  }
}
