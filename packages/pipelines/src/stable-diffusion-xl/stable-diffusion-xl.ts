import { ConfigError, type Tensor, zeros } from '@antipode/core'
import type { AdapterWeights } from '@antipode/core/nn'
import { anObject, checkOptions, finite, flag, type Range, type Ranges, required, whole } from '@antipode/core/options'
import type { CLIPTextModel, CLIPTextModelWithProjection, UNet2DCondition } from '@antipode/models'
import type { PipelineMemory } from '../memory/index.ts'
import { adapted, chunksFor, LearnedWords, repeatRows, type TextTower } from '../prompt/index.ts'
import { type GenerateOptions, generateRanges, perPrompt, type Request, texts } from '../request/index.ts'
import {
  type Components,
  type Conditions,
  type Family,
  type LatentColours,
  type Pipeline,
  pipelineOf,
} from '../run/index.ts'
import { type Prompt, promptsOf, type TextEncoders, type Texts } from './prompts.ts'
import { type SizeOptions, timeIds } from './time-ids.ts'

/** The parts of a Stable Diffusion XL checkpoint. Refiners have no first encoder. */
export interface StableDiffusionXLComponents extends Components, TextEncoders {
  /**
   * Whether a missing negative prompt is zeros instead of an empty one: true by default, as the base model has it;
   * false of refiners.
   */
  readonly forceZerosForEmptyPrompt?: boolean | undefined
}

/** What a pipeline of Stable Diffusion XL can be asked for besides. */
export interface StableDiffusionXLOptions extends GenerateOptions, SizeOptions {
  /** Prompts of the second encoder; those of the first by default. */
  readonly prompt2?: string | readonly string[]
  readonly negativePrompt2?: string | readonly string[]
}

const two: Range = {
  expected: 'two whole numbers from 0',
  accepts: (v) => Array.isArray(v) && v.length === 2 && v.every((n) => whole(0).accepts(n)),
}
const ranges: Ranges<StableDiffusionXLOptions> = {
  ...generateRanges,
  prompt2: texts,
  negativePrompt2: texts,
  originalSize: two,
  cropTopLeft: two,
  targetSize: two,
  negativeOriginalSize: two,
  negativeCropTopLeft: two,
  negativeTargetSize: two,
  aestheticScore: finite,
  negativeAestheticScore: finite,
}

/**
 * Stable Diffusion XL, base and refiner: text to image, image to image and inpainting, equal to diffusers' pipelines
 * but where those mix up rows: sizes of the negative branch stay with the negative branch, for every image. The
 * pipeline owns its models. Without a negative prompt the negative branch has zeros, or an empty prompt, as
 * `forceZerosForEmptyPrompt` says; an empty text is a prompt.
 * @param memory where weights come from, if not all models are to be on the GPU at once
 * @throws {ConfigError} if a part is missing
 * Source: Podell et al. 2023, arXiv 2307.01952; diffusers `pipeline_stable_diffusion_xl.py`, `…_img2img.py`,
 * `…_inpaint.py`.
 */
export function stableDiffusionXL(
  components: StableDiffusionXLComponents,
  memory?: PipelineMemory,
): Pipeline<StableDiffusionXLOptions> {
  const part = (what: string): Range => required(anObject(what))
  checkOptions('stableDiffusionXL', components, {
    unet: part('a UNet'),
    vae: part('an autoencoder'),
    scheduler: part('a scheduler'),
    textEncoder: anObject('a text encoder'),
    tokenizer: anObject('a tokenizer'),
    textEncoder2: part('a text encoder with projection'),
    tokenizer2: part('a tokenizer'),
    forceZerosForEmptyPrompt: flag,
  })
  return pipelineOf(familyOf(components, new LearnedWords(towersOf(components))), memory)
}

function familyOf(
  components: StableDiffusionXLComponents,
  words: LearnedWords,
): Family<StableDiffusionXLOptions> {
  const { unet, vae, textEncoder, textEncoder2 } = components
  return {
    name: 'StableDiffusionXL',
    components,
    ranges,
    guidanceScale: 5,
    strength: 0.3,
    colours,
    targets: { unet, text_encoder: textEncoder, text_encoder_2: textEncoder2 },
    words,
    models: { unet, vae, text_encoder_2: textEncoder2, ...(textEncoder ? { text_encoder: textEncoder } : {}) },
    conditions: (options, request, guided) => conditionsOf(withWords(components, words), options, request, guided),
    of: ({ text_encoder: first, text_encoder_2: second, ...models }) =>
      familyOf({
        ...components,
        ...(models as Pick<typeof components, 'unet' | 'vae'>),
        textEncoder: first as CLIPTextModel | undefined,
        textEncoder2: second as CLIPTextModelWithProjection,
      }, words),
  }
}

// ComfyUI `latent_formats.py`, `SDXL`.
const colours: LatentColours = {
  weights: [[0.3651, 0.4232, 0.4341], [-0.2533, -0.0042, 0.1068], [0.1076, 0.1111, -0.0362], [-0.3165, -0.2492, -0.2188]],
  bias: [0.1084, -0.0175, -0.0011],
}

function conditionsOf(
  components: StableDiffusionXLComponents,
  options: StableDiffusionXLOptions,
  request: Request,
  guided: boolean,
): Conditions {
  const { prompts, negatives, copies } = request
  const { unet, forceZerosForEmptyPrompt = true } = components
  const second = (name: 'prompt2' | 'negativePrompt2'): readonly string[] | undefined =>
    perPrompt('StableDiffusionXL', name, options[name], prompts.length)
  const ids = timeIds(options, request, unet.device, takesScore(components))
  const zeros = negatives === undefined && forceZerosForEmptyPrompt
  const none = negatives ?? prompts.map(() => '')
  const texts: Texts = { first: prompts, second: second('prompt2') ?? prompts }
  const away: Texts = { first: none, second: second('negativePrompt2') ?? none }
  const syntax = options.promptSyntax ?? 'plain'
  const all = [texts, ...(guided && !zeros ? [away] : [])].flatMap((one) => [...one.first, ...one.second])
  const reading = { syntax, chunks: chunksFor(components.tokenizer2, all, syntax) }
  const towards = promptsOf(withAdapters(components, request.positive), texts, reading, options.clipSkip)
  const repeated = (condition: Prompt, timeIds: Tensor): UNet2DCondition => ({
    context: repeatRows(condition.context, copies),
    textEmbeds: repeatRows(condition.textEmbeds, copies),
    timeIds,
  })
  const positive = repeated(towards, ids.positive)
  if (!guided) return { positive, negative: undefined }
  if (zeros) {
    const nothing = { context: zerosLike(towards.context), textEmbeds: zerosLike(towards.textEmbeds) }
    return { positive, negative: repeated(nothing, ids.negative) }
  }
  return {
    positive,
    negative: repeated(promptsOf(withAdapters(components, request.negative), away, reading), ids.negative),
  }
}

const zerosLike = ({ device, shape, dtype }: Tensor): Tensor => zeros(device, shape, { dtype })

/** The text towers that there are, in the order of files. */
function towersOf({ textEncoder, tokenizer, textEncoder2, tokenizer2 }: StableDiffusionXLComponents): TextTower[] {
  const second = { model: textEncoder2, tokenizer: tokenizer2 }
  return textEncoder && tokenizer ? [{ model: textEncoder, tokenizer }, second] : [second]
}

/** The text encoders and tokenizers with the words that they have learned. */
function withWords(components: StableDiffusionXLComponents, words: LearnedWords): StableDiffusionXLComponents {
  const { textEncoder, tokenizer, textEncoder2, tokenizer2 } = components
  const first = textEncoder && tokenizer && words.tower(0, { model: textEncoder, tokenizer })
  const second = words.tower(first ? 1 : 0, { model: textEncoder2, tokenizer: tokenizer2 })
  return {
    ...components,
    ...(first ? { textEncoder: first.model, tokenizer: first.tokenizer } : {}),
    textEncoder2: second.model,
    tokenizer2: second.tokenizer,
  }
}

/** The text encoders with the adapters of a branch. */
function withAdapters(
  { textEncoder, textEncoder2, ...rest }: StableDiffusionXLComponents,
  weights: AdapterWeights,
): StableDiffusionXLComponents {
  return {
    ...rest,
    textEncoder: textEncoder && adapted(textEncoder, weights),
    textEncoder2: adapted(textEncoder2, weights),
  }
}

/**
 * Whether the UNet takes five ids, the last of which is an aesthetic score. @throws {ConfigError} if it takes neither
 * five nor six
 */
function takesScore({ unet, textEncoder2 }: StableDiffusionXLComponents): boolean {
  const { projection_class_embeddings_input_dim: inputs = 0, addition_time_embed_dim: width = 0 } = unet.config
  const pooled = textEncoder2.config.projection_dim ?? 512
  const ids = ((inputs ?? 0) - pooled) / (width ?? 0)
  if (ids === 5 || ids === 6) return ids === 5
  throw new ConfigError(
    `StableDiffusionXL: expected a UNet that takes 6 numbers of sizes beside a pooled prompt of ${pooled}, or 5 of a refiner, got one for ${inputs} in all; ` +
      'pass the parts of one checkpoint',
  )
}
