import { AutoencoderTiny, type AutoencoderTinyConfig } from '../autoencoder/index.ts'
import type { ModelEntry } from './model-entry.ts'

/** Tiny autoencoders for previews, in the names of diffusers. */
export const autoencoderTiny: ModelEntry<AutoencoderTiny> = {
  className: 'AutoencoderTiny',
  build: (init, stored) => new AutoencoderTiny(init, stored as AutoencoderTinyConfig), // the model checks each field
}
