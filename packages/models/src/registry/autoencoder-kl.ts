import { AutoencoderKL, type AutoencoderKLConfig } from '../autoencoder/index.ts'
import { attentionNames } from '../keymaps/index.ts'
import type { ModelEntry } from './model-entry.ts'

/** Autoencoders of Stable Diffusion, also with the attention names of early diffusers. */
export const autoencoderKL: ModelEntry<AutoencoderKL> = {
  className: 'AutoencoderKL',
  build: (init, stored) => new AutoencoderKL(init, stored as AutoencoderKLConfig), // the model checks each field
  names: attentionNames,
}
