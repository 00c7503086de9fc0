import { concat, ConfigError, type Tensor } from '@antipode/core'
import { encode, tokensOf } from '../prompt/index.ts'
import type { Components } from '../run/index.ts'
import type { StableDiffusionComponents } from '../stable-diffusion/index.ts'
import { promptsOf, type StableDiffusionXLComponents } from '../stable-diffusion-xl/index.ts'
import type { PairEncoder } from './encodings/index.ts'

/**
 * The autoencoder and the text encoders of a pipeline, as pairs are encoded by them.
 * @throws {ConfigError} if they are those of another kind of pipeline
 */
export function pairEncoder(components: Components): PairEncoder {
  const { vae } = components
  const prompt = promptsBy(components)
  return {
    device: vae.device,
    moments(pictures) {
      const { mean, logVariance } = vae.encode(pictures)
      return concat([mean, logVariance], 1)
    },
    prompt,
  }
}

function promptsBy(components: Components): PairEncoder['prompt'] {
  if (isXL(components)) {
    return (text) => ({ ...promptsOf(components, { first: [text], second: [text] }, { syntax: 'plain', chunks: 1 }) })
  }
  if (isSD(components)) return (text) => promptOf(components, text)
  const got = Object.keys(components).join(', ')
  throw new ConfigError(
    `pairEncoder: expected the components of Stable Diffusion 1.x, 2.x or XL, got ${got}; pass those of its pipeline`,
  )
}

const isXL = (components: Components): components is StableDiffusionXLComponents => 'textEncoder2' in components
const isSD = (components: Components): components is StableDiffusionComponents => 'textEncoder' in components

function promptOf({ tokenizer, textEncoder }: StableDiffusionComponents, text: string): { readonly context: Tensor } {
  return { context: encode(textEncoder, tokensOf(tokenizer, [text], 'plain', 1)).lastHiddenState }
}
