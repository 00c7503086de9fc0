import { Tensor } from '@antipode/core'
import type { AdapterWeights } from '@antipode/core/nn'
import {
  abortSignal,
  anObject,
  atLeast,
  below,
  between,
  callable,
  either,
  flag,
  listOf,
  oneOf,
  type Range,
  type Ranges,
  required,
  whole,
} from '@antipode/core/options'
import { AutoencoderTiny, type Tiling, type UNet2DConditionModel, type Wrappers } from '@antipode/models'
import type { Guider } from '@antipode/npo'
import type { Scheduler, Steps } from '@antipode/schedulers'
import type { ImageInput } from '../images/index.ts'
import type { PromptSyntax } from '../prompt/index.ts'
import type { MemoryPlan } from '../memory/index.ts'

/** What a pipeline gives: pictures of 8 bits a channel, the same as numbers, or what the decoder would take. */
export type Output = 'images' | 'pixels' | 'latents'

/** An image as a prompt, by the IP-Adapter that `pipe.ipAdapter.load` brought. */
export interface ImagePrompt {
  /** Pixels, or a tensor `[1 or B, 3, H, W]` in [0, 1]: of any size, its middle is seen. Not disposed. */
  readonly image: ImageInput
  /** How much it counts; 1 by default. */
  readonly scale?: number
}

/**
 * A third branch of guidance, which predicts worse of the same prompt: the positive one with wrappers around layers, as
 * `perturbedAttention`, `smoothedEnergy` and `skippedLayers` of @antipode/models make them of a UNet; or the UNet with
 * adapters of other weights, an early one for autoguidance; or, for `selfAttentionGuidance`, the negative branch where
 * its sample is `blurred`.
 */
export type PerturbedBranch = ((unet: UNet2DConditionModel) => Wrappers) | AdapterWeights | 'blurred'

/**
 * What every pipeline can be asked for. Rows of a batch lie prompt by prompt: all images of the first, then of the
 * second.
 */
export interface GenerateOptions {
  /** One prompt, or one a row of the batch. */
  readonly prompt: string | readonly string[]
  /**
   * What to move away from: one for all prompts, or one each. None is not the same as an empty one: each pipeline
   * says what it means.
   */
  readonly negativePrompt?: string | readonly string[]
  /**
   * Pixels; those that the model was trained on by default, or those of the image. Multiples of 8, and of the
   * autoencoder's scale.
   */
  readonly height?: number
  readonly width?: number
  /** How many steps, or which; 50 by default. */
  readonly steps?: Steps
  /** w ≥ 1 of classifier-free guidance; 1 is the prompt alone. */
  readonly guidanceScale?: number
  /**
   * φ in [0, 1] of Lin et al. 2023 (arXiv 2305.08891): how far guidance keeps the deviation of the positive branch,
   * whatever the guider; 0 by default.
   */
  readonly guidanceRescale?: number
  /**
   * Another guider than classifier-free guidance, such as `apg({ scale: 5 })` of @antipode/npo, or one of the guidance
   * scale: `(scale) => apg({ scale })`.
   */
  readonly guider?: Guider | ((scale: number) => Guider)
  /** What a guider that perturbs moves away from, such as `perturbed` of @antipode/npo; there is none by default. */
  readonly perturbed?: PerturbedBranch
  /** Weights of adapters in the positive branch; none by default. */
  readonly positive?: AdapterWeights
  /**
   * Weights of adapters in the negative branch, those of the positive one by default. With an adapter that was trained
   * on what people do not want this is negative preference optimisation (Diffusion-NPO, arXiv 2505.11245).
   */
  readonly negative?: AdapterWeights
  /** Images for each prompt; 1 by default. */
  readonly imagesPerPrompt?: number
  /**
   * Whole, in [0, 2⁵³); 0 by default. One draws for the whole batch, as a generator of torch on the CPU does; a list has
   * one for each image.
   */
  readonly seed?: number | readonly number[]
  /** Unit normal `[B, C, h, w]` to begin at instead of a draw; not disposed. */
  readonly latents?: Tensor
  /**
   * How prompts are read: `plain`, the default, as diffusers does, which cuts them after 75 tokens; or `weighted`, with
   * weights in brackets, `(red:1.3)`, and as long as they are.
   */
  readonly promptSyntax?: PromptSyntax
  /** Layers of the text encoder to leave out at its end, for the positive prompt; 0 by default. */
  readonly clipSkip?: number
  /** Solver of this run instead of the checkpoint's. */
  readonly scheduler?: Scheduler
  /**
   * Image to start from, or one for each row of the batch: pixels, which are resized; or a tensor `[1 or B, 3, H, W]`
   * in [0, 1], or latents
   * `[1 or B, C, h, w]` as `output: 'latents'` gives them, which are taken as they are. Not disposed.
   */
  readonly image?: ImageInput
  /** Share of the steps that an image goes through, in (0, 1]: at 1 nothing of it is left. */
  readonly strength?: number
  /**
   * Where to repaint the image, where it is as light as half or more: pixels, or a tensor `[1, 1, H, W]`. Not disposed.
   */
  readonly mask?: ImageInput
  /**
   * Draws only what the mask covers and so many pixels around it, in the size that is asked for, that of the model by
   * default, and puts it back into the image: small parts of large images get as many details as the model draws. For
   * `output: 'images'`; image and mask are pixels.
   */
  readonly maskPadding?: number
  /**
   * Share of the noise that another pipeline took away before, in [0, 1): the image is its latents, and no noise is
   * added.
   */
  readonly denoisingStart?: number
  /** Share of the noise to take away, in (0, 1): the rest is another pipeline's. */
  readonly denoisingEnd?: number
  /** An image as a prompt beside the text: see {@link ImagePrompt}. */
  readonly ipAdapter?: ImagePrompt
  /** How the pictures are decoded: see `DecodeOptions`. */
  readonly tiling?: boolean | Tiling
  /**
   * Whether each step offers its estimate of the picture: one pixel for a latent, by a matrix of colours, or decoded by
   * a tiny autoencoder (`loadAutoencoder` of @antipode/models); false by default.
   */
  readonly preview?: boolean | AutoencoderTiny
  /** Told what the call takes, and how it is kept within the budget, before anything runs. */
  readonly onPlan?: (plan: MemoryPlan) => void
  readonly signal?: AbortSignal
}

/** Options whose images are tensors. */
export type PreparedOptions = Omit<GenerateOptions, 'image' | 'mask' | 'ipAdapter'> & {
  readonly ipAdapter?: ImagePrompt & { readonly image: Tensor }
  readonly image?: Tensor
  readonly mask?: Tensor
}

const aTensor: Range = { expected: 'a Tensor', accepts: (v) => v instanceof Tensor }
const anImage: Range = {
  expected: 'pixels with data, width and height, a list of them, or a Tensor',
  accepts: (v) => typeof v === 'object' && v !== null && ('data' in v || Array.isArray(v)),
}
const aSeed: Range = { ...whole(0), expected: 'a whole number in [0, 2^53)' }
const weights: Range = anObject('weights of adapters by their names')
const string: Range = { expected: 'a text', accepts: (v) => typeof v === 'string' }
export const texts: Range = either(string, listOf(string))

export const tilingRange: Range = either(flag, anObject('size and overlap of tiles'))

export const generateRanges: Ranges<GenerateOptions> = {
  prompt: required(texts),
  negativePrompt: texts,
  height: whole(8),
  width: whole(8),
  steps: either(whole(1), anObject('a request for steps')),
  guidanceScale: atLeast(1),
  guidanceRescale: between(0, 1),
  guider: either(anObject('a guider, such as apg makes'), callable),
  perturbed: either(either(callable, oneOf('blurred')), weights),
  positive: weights,
  negative: weights,
  imagesPerPrompt: whole(1),
  seed: either(aSeed, listOf(aSeed)),
  latents: aTensor,
  promptSyntax: oneOf('plain', 'weighted'),
  clipSkip: whole(0),
  scheduler: anObject('a scheduler'),
  image: anImage,
  strength: between(0, 1),
  mask: anImage,
  maskPadding: whole(0),
  ipAdapter: anObject('an image, and its scale'),
  denoisingStart: below(0, 1),
  denoisingEnd: between(0, 1),
  tiling: tilingRange,
  preview: either(flag, { expected: 'an AutoencoderTiny', accepts: (v) => v instanceof AutoencoderTiny }),
  onPlan: callable,
  signal: abortSignal,
}

export const outputRange: Range = oneOf('images', 'pixels', 'latents')
