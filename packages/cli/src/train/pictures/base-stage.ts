import { type Backend, CheckpointError } from '@antipode/core'
import { randomParameters } from '@antipode/core/nn'
import {
  AutoencoderKL, CLIPTextModel, CLIPTokenizer, type Component, loadAutoencoder, saveCheckpoint, tokenizerComponent,
  trainClipTokenizer, type TrainedClipTokenizer, UNet2DConditionModel,
} from '@antipode/models'
import { type Pixels, stableDiffusion } from '@antipode/pipelines'
import {
  encodePictures, type PipelineConfigs, smallStableDiffusion, type SquarePictures, textToImageParameters, trainTextToImage,
} from '@antipode/pipelines/training'
import { fromConfig } from '@antipode/schedulers'
import type { PictureSettings } from '../../train-settings/index.ts'
import { modelFilesDigest } from '../model-files.ts'
import type { StageMaker } from './picture-run.ts'

/** Prompts of a grid that shows the first captions. */
const shown = 8

/** A Stable Diffusion of its own: a tokenizer learnt from the captions, and a text encoder that learns with the UNet. */
export const baseStage: StageMaker = async (device, pictures, { settings, signal, progress }) => {
  const { side, seed, captionDropout, autoencoder = '', sampleSteps, scale } = settings
  const { files, config } = configured(settings, pictures.captions.flat())
  const init = randomParameters(device, { seed })
  const models = {
    vae: await autoencoderAt(device, autoencoder),
    unet: new UNet2DConditionModel(init, config.unet),
    textEncoder: new CLIPTextModel(init, config.text_encoder),
    tokenizer: CLIPTokenizer.from(files),
    scheduler: fromConfig(config.scheduler),
  }
  const phase = progress.phase('encoding pictures', pictures.captions.length)
  const latents = await encodePictures(models.vae, pictures, { signal, onBatch: (count) => { phase.advance(count) } })
  phase.done()
  const pipe = stableDiffusion(models)
  const prompts = settings.samplePrompts.length > 0 ? settings.samplePrompts : someOf(pictures.captions)
  return {
    parameters: textToImageParameters(models),
    recipe: { ...settings, config, autoencoder: await modelFilesDigest(autoencoder) },
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
      const { unet, vae, textEncoder } = models
      const scheduler = schedulerComponent(config.scheduler)
      await saveCheckpoint(folder, {
        className: 'StableDiffusionPipeline',
        config: { safety_checker: [null, null], feature_extractor: [null, null], requires_safety_checker: false },
        components: { unet, vae, text_encoder: textEncoder, tokenizer: tokenizerComponent(files), scheduler },
      }, { dtype: 'f16', signal })
    },
  }
}

/** The tokenizer of captions, and configurations, those of the settings before the usual ones. */
function configured({ side, vocabulary, config: own }: PictureSettings, captions: readonly string[]): {
  readonly files: TrainedClipTokenizer
  readonly config: Omit<PipelineConfigs, 'vae'>
} {
  const configs = (tokens: number): Omit<PipelineConfigs, 'vae'> => {
    const { unet, text_encoder: text, scheduler } = smallStableDiffusion(side, tokens)
    return {
      unet: { ...unet, ...own['unet'] }, text_encoder: { ...text, ...own['text_encoder'] },
      scheduler: { ...scheduler, ...own['scheduler'] },
    }
  }
  const { max_position_embeddings: maxLength = 77 } = configs(vocabulary).text_encoder
  const files = trainClipTokenizer(captions, { vocabularySize: vocabulary, maxLength })
  return { files, config: configs(Object.keys(files.vocab).length) }
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
