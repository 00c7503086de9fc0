import { saveCheckpoint } from '@antipode/models'
import { type Pixels, stableDiffusion } from '@antipode/pipelines'
import { encodePictures, type SquarePictures, textToImageParameters, trainTextToImage } from '@antipode/pipelines/training'
import { baseParts } from './base-parts.ts'
import type { StageMaker } from './picture-run.ts'

/** Prompts of a grid that shows captions. */
const shown = 8

/** A Stable Diffusion, whose text encoder learns with the UNet. */
export const baseStage: StageMaker = async (device, pictures, { settings, signal, progress }) => {
  const { side, seed, captionDropout, sampleSteps, scale } = settings
  const { models, tokenizer, scheduler, recipe } = await baseParts(device, settings, pictures.captions.flat())
  const phase = progress.phase('encoding pictures', pictures.captions.length)
  const latents = await encodePictures(models.vae, pictures, { signal, onBatch: (count) => { phase.advance(count) } })
  phase.done()
  const pipe = stableDiffusion(models)
  const prompts = settings.samplePrompts.length > 0 ? settings.samplePrompts : someOf(pictures.captions)
  return {
    parameters: textToImageParameters(models),
    recipe,
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
      await saveCheckpoint(folder, {
        className: 'StableDiffusionPipeline',
        config: { safety_checker: [null, null], feature_extractor: [null, null], requires_safety_checker: false },
        components: { unet, vae, text_encoder: textEncoder, tokenizer, scheduler },
      }, { dtype: 'f16', signal })
    },
  }
}

/** The first captions of pictures from all over the set. */
function someOf(captions: SquarePictures['captions']): readonly string[] {
  const count = Math.min(shown, captions.length)
  return Array.from({ length: count }, (_, i) => captions[Math.floor(i * captions.length / count)]?.[0] ?? '')
}
