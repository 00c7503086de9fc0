import { type Backend, CheckpointError } from '@antipode/core'
import { randomParameters } from '@antipode/core/nn'
import {
  AutoencoderKL, type Component, loadAutoencoder, openCheckpoint, readClipTokenizerFiles, tokenizerComponent,
  UNet2DConditionModel,
} from '@antipode/models'
import { loadPipeline, type StableDiffusionComponents } from '@antipode/pipelines'
import { smallStableDiffusion } from '@antipode/pipelines/training'
import { fromConfig } from '@antipode/schedulers'
import type { PictureSettings } from '../../train-settings/index.ts'
import { modelFilesDigest } from '../model-files.ts'
import { textParts } from './text-parts.ts'

/** A Stable Diffusion in training, and what of it is saved as it is. */
export interface BaseParts {
  readonly models: StableDiffusionComponents
  readonly tokenizer: Component
  readonly scheduler: Component
  /** Beside the settings, what would make it another run. */
  readonly recipe: object
}

/** The models that a run begins with: those of a checkpoint, or such as know nothing yet, in the latents of an autoencoder. */
export async function baseParts(device: Backend, settings: PictureSettings, captions: readonly string[]): Promise<BaseParts> {
  const { from } = settings
  return from === undefined ? await freshParts(device, settings, captions) : await partsOf(device, from)
}

async function freshParts(device: Backend, settings: PictureSettings, captions: readonly string[]): Promise<BaseParts> {
  const { side, seed, autoencoder = '', clip, config: own } = settings
  const { files, tokenizer, textEncoder } = await textParts(device, settings, captions)
  const usual = smallStableDiffusion(side, textEncoder.resolved.vocabulary)
  const unet = { ...usual.unet, cross_attention_dim: textEncoder.resolved.width, ...own['unet'] }
  const scheduler = { ...usual.scheduler, ...own['scheduler'] }
  const { _class_name: className } = scheduler
  return {
    models: {
      vae: await autoencoderAt(device, autoencoder),
      unet: new UNet2DConditionModel(randomParameters(device, { seed }), unet),
      scheduler: fromConfig(scheduler),
      tokenizer, textEncoder,
    },
    tokenizer: tokenizerComponent(files),
    scheduler: configured({ className, config: scheduler }),
    recipe: {
      unet, scheduler, textEncoder: textEncoder.config, autoencoder: await modelFilesDigest(autoencoder),
      ...(clip === undefined ? {} : { clip: await modelFilesDigest(clip) }),
    },
  }
}

/** @throws {CheckpointError} if it is none, or a tiny one */
async function autoencoderAt(device: Backend, path: string): Promise<AutoencoderKL> {
  const vae = await loadAutoencoder(device, path)
  if (vae instanceof AutoencoderKL) return vae
  vae.dispose()
  throw new CheckpointError(
    `train base: expected an AutoencoderKL, as \`train autoencoder\` makes it, got ${vae.className} in ${path}`,
  )
}

/** @throws {CheckpointError} if it is no Stable Diffusion 1.x or 2.x */
async function partsOf(device: Backend, path: string): Promise<BaseParts> {
  const pipe = await loadPipeline(device, path, { dtype: 'f32' })
  const { components } = pipe
  if (!('textEncoder' in components) || 'textEncoder2' in components) {
    pipe[Symbol.dispose]()
    throw new CheckpointError(`train base: expected Stable Diffusion 1.x or 2.x, got another pipeline at ${path}`)
  }
  await using checkpoint = await openCheckpoint(path)
  const [tokenizer, scheduler] = [checkpoint.component('tokenizer'), checkpoint.component('scheduler')]
  return {
    models: components as StableDiffusionComponents, // it has its parts
    tokenizer: tokenizerComponent(await readClipTokenizerFiles(tokenizer, tokenizer.config)),
    scheduler: configured(scheduler),
    recipe: { from: await modelFilesDigest(path) },
  }
}

/** A component that is no more than its configuration. */
function configured({ className, config }: Pick<Component, 'className' | 'config'>): Component {
  return {
    className, config,
    weights: () => Promise.reject(new CheckpointError(`train base: expected weights, got ${className}, which has none`)),
    text: () => Promise.resolve(undefined),
  }
}
