import { type Backend, ConfigError, evaluate, type Tensor, tensor } from '@antipode/core'
import { between, callable, checkOptions, flag, type Ranges } from '@antipode/core/options'
import { rng } from '@antipode/core/random'
import type { AutoencoderKL, CLIPTextModel, UNet2DConditionModel } from '@antipode/models'
import { denoising, drawNoise, type LossWeight, type SampleBatch, type TrainStep } from '@antipode/npo'
import type { Scheduler } from '@antipode/schedulers'
import { toUNet } from '../../latents/index.ts'
import type { PromptTokenizer } from '../../prompt/index.ts'
import { type FullTrainingOptions, fullTrainingRanges, trainFully } from '../full/index.ts'
import { pictureOrder } from '../squares/index.ts'
import { type LatentPictures, latentsAt } from './latent-pictures.ts'

/** The parts of a pipeline that are trained, or that say how. */
export interface TextToImageModels {
  readonly unet: UNet2DConditionModel
  /** Says how the UNet knows latents. */
  readonly vae: AutoencoderKL
  readonly textEncoder: CLIPTextModel
  readonly tokenizer: PromptTokenizer
  readonly scheduler: Scheduler
}

/** Options of {@link trainTextToImage}: by default batches of 64, a learning rate of 1e-3, and a weight decay of 0.01. */
export interface TrainTextToImageOptions extends FullTrainingOptions {
  /** Share of pictures that are learnt without their caption, for guidance; in [0, 1], 0.1 by default. */
  readonly captionDropout?: number
  /** Weights of errors by noise level, such as `minSnr()`; all are 1 by default. */
  readonly weight?: LossWeight
  /** Whether the text encoder learns with the UNet; true by default. */
  readonly trainTextEncoder?: boolean
}

const defaults = { learningRate: 1e-3, weightDecay: 0.01 }
const ranges: Ranges<TrainTextToImageOptions> = {
  ...fullTrainingRanges, captionDropout: between(0, 1), weight: callable, trainTextEncoder: flag,
}

/** Tokens of each picture's caption, i32 `[B, N]`. */
type Captions = { readonly ids: Tensor }

/** Captions are drawn from other streams than noise, which takes one a batch from 0 on. */
const firstStream = 2 ** 31

/** What {@link trainTextToImage} trains, by the names of its checkpoints and averages: `unet.…` and `text_encoder.…`. */
export function textToImageParameters(
  { unet, textEncoder }: Pick<TextToImageModels, 'unet' | 'textEncoder'>, trainTextEncoder = true,
): ReadonlyMap<string, Tensor> {
  const named = (part: string, state: ReadonlyMap<string, Tensor>): (readonly [string, Tensor])[] =>
    [...state].map(([name, t]) => [`${part}.${name}`, t] as const)
  return new Map([
    ...named('unet', unet.state()), ...(trainTextEncoder ? named('text_encoder', textEncoder.state()) : []),
  ])
}

/**
 * Trains a UNet, and by default its text encoder with it, to draw pictures from captions, step by step: the denoising
 * loss on latents, with captions left out now and then so that guidance has an unconditional branch. The scheduler says
 * what is predicted. A batch depends on its number and the seed alone; each time a picture is drawn, one of its captions
 * is.
 * @throws {ConfigError} if the scheduler has no table of noise levels @throws {ConfigError | CheckpointError} as `train`
 * of @antipode/npo does
 * Sources: Rombach et al. 2022, arXiv 2112.10752, eq. 3; Ho and Salimans 2022, arXiv 2207.12598, algorithm 1.
 */
export async function* trainTextToImage(
  models: TextToImageModels, pictures: LatentPictures, options: TrainTextToImageOptions,
): AsyncGenerator<TrainStep, void, void> {
  checkOptions('trainTextToImage', options, ranges)
  const { batch: size = 64, seed = 0, captionDropout = 0.1, weight, trainTextEncoder = true } = options
  const { unet, vae, textEncoder, tokenizer, scheduler: { schedule: process } } = models
  if (!process) {
    throw new ConfigError(
      'trainTextToImage: expected a scheduler with a table of noise levels, got one of another process; pass a DDPM, ' +
        'DDIM or other scheduler of Stable Diffusion',
    )
  }
  const { device } = unet
  const order = pictureOrder(pictures, size, seed)
  const objective = denoising<Captions>()
  const parameters = textToImageParameters(models, trainTextEncoder)
  yield* trainFully<SampleBatch<Captions>>(parameters, options, defaults, {
    batch: async (index) => {
      const places = order(index)
      using raw = latentsAt(device, pictures, places)
      const samples = toUNet(vae, raw)
      await evaluate(samples)
      return {
        ...drawNoise(device, process, samples.shape, { seed, step: index, ...(weight ? { weight } : {}) }),
        samples, condition: captionsAt(device, tokenizer, pictures, places, { captionDropout, seed, index }),
      }
    },
    release: ({ samples, condition }) => {
      samples.dispose()
      condition.ids.dispose()
    },
    loss: (batch) => objective.evaluate({
      model: (x, timesteps, { ids }) => unet.forward(x, timesteps, { context: textEncoder.forward(ids).lastHiddenState }),
    }, batch),
  })
}

function captionsAt(
  device: Backend, tokenizer: PromptTokenizer, { captions }: LatentPictures, places: readonly number[],
  { captionDropout, seed, index }: { readonly captionDropout: number; readonly seed: number; readonly index: number },
): Captions {
  const random = rng(seed, { stream: firstStream + index })
  const ids = places.flatMap((place) => {
    const own = captions[place] ?? []
    const caption = own[Math.floor(random.uniform() * own.length)] ?? ''
    return tokenizer.padded(random.uniform() < captionDropout ? '' : caption).ids
  })
  return { ids: tensor(device, ids, [places.length, tokenizer.maxLength], { dtype: 'i32' }) }
}
