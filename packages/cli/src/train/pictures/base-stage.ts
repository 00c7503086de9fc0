import { type Backend, CheckpointError } from '@antipode/core'
import { randomParameters } from '@antipode/core/nn'
import {
  AutoencoderKL, type Component, loadAutoencoder, saveCheckpoint, tokenizerComponent, UNet2DConditionModel,
} from '@antipode/models'
import { type Pixels, stableDiffusion } from '@antipode/pipelines'
import {
  encodePictures, type PipelineConfigs, smallStableDiffusion, type SquarePictures, textToImageParameters, trainTextToImage,
} from '@antipode/pipelines/training'
import { fromConfig } from '@antipode/schedulers'
import { modelFilesDigest } from '../model-files.ts'
import type { StageMaker } from './picture-run.ts'
import { textParts } from './text-parts.ts'

/** Prompts of a grid that shows the first captions. */
const shown = 8

/** A Stable Diffusion of its own, whose text encoder learns with the UNet. */
export const baseStage: StageMaker = async (device, pictures, { settings, signal, progress }) => {
  const { side, seed, captionDropout, autoencoder = '', sampleSteps, scale, config: own } = settings
  const { files, tokenizer, textEncoder } = await textParts(device, settings, pictures.captions.flat())
  const usual = smallStableDiffusion(side, textEncoder.resolved.vocabulary)
  const config = {
    unet: { ...usual.unet, cross_attention_dim: textEncoder.resolved.width, ...own['unet'] },
    text_encoder: textEncoder.config,
    scheduler: { ...usual.scheduler, ...own['scheduler'] },
  }
  const models = {
    vae: await autoencoderAt(device, autoencoder),
    unet: new UNet2DConditionModel(randomParameters(device, { seed }), config.unet),
    scheduler: fromConfig(config.scheduler),
    tokenizer, textEncoder,
  }
  const phase = progress.phase('encoding pictures', pictures.captions.length)
  const latents = await encodePictures(models.vae, pictures, { signal, onBatch: (count) => { phase.advance(count) } })
  phase.done()
  const pipe = stableDiffusion(models)
  const prompts = settings.samplePrompts.length > 0 ? settings.samplePrompts : someOf(pictures.captions)
  return {
    parameters: textToImageParameters(models),
    recipe: {
      config, autoencoder: await modelFilesDigest(autoencoder),
      ...(settings.clip === undefined ? {} : { clip: await modelFilesDigest(settings.clip) }),
    },
    steps: (options) => trainTextToImage(models, latents, { ...options, captionDropout }),
    async samples() {
      const images: Pixels[] = []
      for (const prompt of prompts) {
        const size = { height: side, width: side }
        const made = await pipe({ prompt, seed, steps: sampleSteps, guidanceScale: scale, ...size, signal })
        images.push(...made.images)
      }
      return { images, columns: Math.ceil(Math.sqrt(images.length)) }
    },
    async save(folder) {
      const { unet, vae } = models
      const scheduler = schedulerComponent(config.scheduler)
      await saveCheckpoint(folder, {
        className: 'StableDiffusionPipeline',
        config: { safety_checker: [null, null], feature_extractor: [null, null], requires_safety_checker: false },
        components: { unet, vae, text_encoder: textEncoder, tokenizer: tokenizerComponent(files), scheduler },
      }, { dtype: 'f16', signal })
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

/** The first caption of pictures from all over the set. */
function someOf(captions: SquarePictures['captions']): readonly string[] {
  const count = Math.min(shown, captions.length)
  return Array.from({ length: count }, (_, i) => captions[Math.floor(i * captions.length / count)]?.[0] ?? '')
}

function schedulerComponent({ _class_name: className, ...config }: PipelineConfigs['scheduler']): Component {
  return {
    className, config: { _class_name: className, ...config },
    weights: () => Promise.reject(new CheckpointError('train base: expected weights, got a scheduler, which has none')),
    text: () => Promise.resolve(undefined),
  }
}
