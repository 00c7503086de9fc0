import { evaluate } from '@antipode/core'
import { placeholders, randomParameters } from '@antipode/core/nn'
import { AutoencoderKL, saveCheckpoint } from '@antipode/models'
import { postprocessImages } from '@antipode/pipelines'
import { encodePictures, picturesAt, scalingFactor, smallStableDiffusion, trainAutoencoder } from '@antipode/pipelines/training'
import type { StageMaker } from './picture-run.ts'

/** Pictures of a grid, beside what becomes of them. */
const shown = 8

/** An autoencoder whose latents have a deviation of 1 once they are multiplied by its `scaling_factor`. */
export const autoencoderStage: StageMaker = async (device, pictures, { settings, signal }) => {
  const { side, seed, kl, edges } = settings
  const config = { ...smallStableDiffusion(side, 3).vae, ...settings.config['vae'] }
  const vae = new AutoencoderKL(randomParameters(device, { seed }), config)
  const places = Array.from({ length: Math.min(shown, pictures.captions.length) }, (_, i) => (
    Math.floor(i * pictures.captions.length / shown)
  ))
  return {
    parameters: vae.state(),
    recipe: { config },
    steps: (options) => trainAutoencoder(vae, pictures, { ...options, kl, edges }),
    async samples() {
      using images = picturesAt(device, pictures, places)
      using again = vae.decode(vae.encode(images).mode())
      await evaluate(again)
      return { images: [...await postprocessImages(images), ...await postprocessImages(again)], columns: places.length }
    },
    async save(folder) {
      const scaling = scalingFactor(await encodePictures(vae, pictures, { signal }))
      const scaled = new AutoencoderKL(placeholders(device), { ...config, scaling_factor: scaling }).withParameters(vae.state())
      await saveCheckpoint(folder, { className: 'StableDiffusionPipeline', components: { vae: scaled } }, { signal })
    },
  }
}
