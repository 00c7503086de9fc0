import { ConfigError, type Tensor } from '@antipode/core'
import type { AdapterWeights } from '@antipode/core/nn'
import { anObject, checkOptions, required } from '@antipode/core/options'
import type { CLIPTextModel, CLIPTextOutput } from '@antipode/models'
import type { PipelineMemory } from '../memory/index.ts'
import {
  adapted, chunksFor, contextFrom, encode, LearnedWords, type PromptTokenizer, repeatRows, tokensOf,
} from '../prompt/index.ts'
import { type GenerateOptions, generateRanges } from '../request/index.ts'
import { type Components, type Family, type LatentColours, type Pipeline, pipelineOf } from '../run/index.ts'

/** The parts of a Stable Diffusion 1.x or 2.x checkpoint. */
export interface StableDiffusionComponents extends Components {
  readonly textEncoder: CLIPTextModel
  readonly tokenizer: PromptTokenizer
}

/**
 * Stable Diffusion 1.x and 2.x: text to image, image to image and inpainting, equal to diffusers' pipelines. The
 * pipeline owns its models. Where no negative prompt is given, the negative branch has the empty one. `clipSkip` is the
 * positive prompt's alone, as in diffusers.
 * @param memory where weights come from, if not all models are to be on the GPU at once
 * @throws {ConfigError} if a part is missing
 * Source: Rombach et al. 2022, arXiv 2112.10752; diffusers `pipeline_stable_diffusion.py`, `…_img2img.py`,
 * `…_inpaint.py`.
 */
export function stableDiffusion(
  components: StableDiffusionComponents,
  memory?: PipelineMemory,
): Pipeline<GenerateOptions> {
  const part = (what: string): ReturnType<typeof required> => required(anObject(what))
  checkOptions('stableDiffusion', components, {
    unet: part('a UNet'),
    vae: part('an autoencoder'),
    scheduler: part('a scheduler'),
    textEncoder: part('a text encoder'),
    tokenizer: part('a tokenizer'),
  })
  const words = new LearnedWords([{ model: components.textEncoder, tokenizer: components.tokenizer }])
  return pipelineOf(familyOf(components, words), memory)
}

function familyOf(components: StableDiffusionComponents, words: LearnedWords): Family<GenerateOptions> {
  const { unet, vae, textEncoder } = components
  return {
    name: 'StableDiffusion',
    components,
    words,
    models: { unet, vae, text_encoder: textEncoder },
    targets: { unet, text_encoder: textEncoder },
    ranges: generateRanges,
    guidanceScale: 7.5,
    strength: 0.8,
    colours,
    conditions({ clipSkip, promptSyntax = 'plain' }, { prompts, negatives, copies, positive, negative }, guided) {
      const { tokenizer, model } = words.tower(0, { model: textEncoder, tokenizer: components.tokenizer })
      const away = guided ? (negatives ?? prompts.map(() => '')) : []
      const chunks = chunksFor(tokenizer, [...prompts, ...away], promptSyntax)
      const context = (texts: readonly string[], weights: AdapterWeights, skip?: number): Tensor => {
        const encoder = adapted(model, weights)
        const tokens = tokensOf(tokenizer, texts, promptSyntax, chunks)
        return repeatRows(contextFrom(statesOf(encoder, encode(encoder, tokens), skip), tokens), copies)
      }
      return {
        positive: { context: context(prompts, positive, clipSkip) },
        negative: guided ? { context: context(away, negative) } : undefined,
      }
    },
    of: (models) =>
      familyOf({
        ...components,
        ...(models as Pick<typeof components, 'unet' | 'vae'>),
        textEncoder: models['text_encoder'] as CLIPTextModel,
      }, words),
  }
}

// ComfyUI `latent_formats.py`, `SD15`.
const colours: LatentColours = {
  weights: [[0.3512, 0.2297, 0.3227], [0.325, 0.4974, 0.235], [-0.2829, 0.1762, 0.2721], [-0.212, -0.2616, -0.7177]],
}

/** The last hidden states, or those of an earlier layer, after the final norm. */
function statesOf({ textModel }: CLIPTextModel, { lastHiddenState, hiddenStates }: CLIPTextOutput, skip = 0): Tensor {
  if (skip === 0) return lastHiddenState
  const earlier = hiddenStates.at(-1 - skip)
  if (!earlier)
    throw new ConfigError(
      `StableDiffusion: expected clipSkip below ${hiddenStates.length}, the layers of the text encoder, got ${skip}`,
    )
  return textModel.finalLayerNorm.forward(earlier)
}
