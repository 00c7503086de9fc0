import { concat, type Tensor } from '@antipode/core'
import { encode } from '../prompt/index.ts'
import type { StableDiffusionComponents } from '../stable-diffusion/index.ts'
import type { StableDiffusionXLComponents } from '../stable-diffusion-xl/index.ts'
import type { PairEncoder } from './encodings/index.ts'

/** The parts of a checkpoint that training reads. */
export type TrainingComponents = StableDiffusionComponents | StableDiffusionXLComponents

/** The autoencoder and the text encoders of a checkpoint, as pairs are encoded by them. */
export function pairEncoder(components: TrainingComponents): PairEncoder {
  const { vae } = components
  return {
    device: vae.device,
    moments(pictures) {
      const { mean, logVariance } = vae.encode(pictures)
      return concat([mean, logVariance], 1)
    },
    prompt: (text) => ('textEncoder2' in components ? promptOfXL(components, text) : promptOf(components, text)),
  }
}

function promptOf({ tokenizer, textEncoder }: StableDiffusionComponents, text: string): { readonly context: Tensor } {
  return { context: encode(tokenizer, textEncoder, [text]).lastHiddenState }
}

/** The contexts of both encoders side by side, before their last layers, and the pooled prompt of the second. */
function promptOfXL({ tokenizer, textEncoder, tokenizer2, textEncoder2 }: StableDiffusionXLComponents, text: string): Readonly<Record<string, Tensor>> {
  const second = encode(tokenizer2, textEncoder2, [text])
  const first = textEncoder && tokenizer ? [encode(tokenizer, textEncoder, [text])] : []
  const states = [...first, second].map(({ hiddenStates }) => hiddenStates.at(-2) as Tensor) // an encoder has a layer at least
  return { context: concat(states, -1), textEmbeds: second.textEmbeds as Tensor } // its encoder projects
}
