import type { Family } from './identify.ts'

/** Where a single file has a text encoder. */
export interface TextPlace {
  readonly name: 'text_encoder' | 'text_encoder_2'
  readonly prefix: string
  /** Whether it is OpenCLIP's, with the names of its code. */
  readonly original: boolean
  readonly projection: boolean
}

const openAI = (prefix: string): TextPlace => ({ name: 'text_encoder', prefix, original: false, projection: false })
/** The text encoders of each family. */
export const textPlaces: Readonly<Record<Family, readonly TextPlace[]>> = {
  sd1: [openAI('cond_stage_model.transformer.')],
  sd2: [{ name: 'text_encoder', prefix: 'cond_stage_model.model.', original: true, projection: false }],
  sdxl: [
    openAI('conditioner.embedders.0.transformer.'),
    { name: 'text_encoder_2', prefix: 'conditioner.embedders.1.model.', original: true, projection: true },
  ],
  'sdxl-refiner': [
    { name: 'text_encoder_2', prefix: 'conditioner.embedders.0.model.', original: true, projection: true },
  ],
}
