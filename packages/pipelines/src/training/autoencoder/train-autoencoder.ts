import { randn, type Tensor } from '@antipode/core'
import { atLeast, checkOptions, type Ranges } from '@antipode/core/options'
import type { AutoencoderKL } from '@antipode/models'
import type { TrainStep } from '@antipode/npo'
import { type FullTrainingOptions, fullTrainingRanges, trainFully } from '../full/index.ts'
import { pictureOrder, picturesAt, type SquarePictures } from '../squares/index.ts'
import { autoencoderLoss, type AutoencoderWeights } from './autoencoder-loss.ts'

/** Options of {@link trainAutoencoder}: by default batches of 16, a learning rate of 1e-3, and a weight decay of 0.01. */
export interface TrainAutoencoderOptions extends FullTrainingOptions, AutoencoderWeights {}

const defaults = { learningRate: 1e-3, weightDecay: 0.01 }
const ranges: Ranges<TrainAutoencoderOptions> = { ...fullTrainingRanges, kl: atLeast(0), edges: atLeast(0) }

/**
 * Trains all parameters of an autoencoder on pictures by {@link autoencoderLoss}, step by step. A batch depends on its
 * number and the seed alone. If a diffusion model is to learn its latents, set the `scaling_factor` of its configuration
 * afterwards, as `scalingFactor` finds it.
 * @throws {ConfigError | CheckpointError} as `train` of @antipode/npo does
 */
export async function* trainAutoencoder(
  vae: AutoencoderKL, pictures: SquarePictures, options: TrainAutoencoderOptions,
): AsyncGenerator<TrainStep, void, void> {
  checkOptions('trainAutoencoder', options, ranges)
  const { kl, edges, batch: size = 16, seed = 0 } = options
  const { device } = vae
  const order = pictureOrder(pictures, size, seed)
  const [channels, side] = [vae.config.latent_channels ?? 4, Math.floor(pictures.side / vae.scale)]
  const weights = { ...(kl === undefined ? {} : { kl }), ...(edges === undefined ? {} : { edges }) }
  yield* trainFully<{ readonly images: Tensor; readonly noise: Tensor }>(vae.state(), options, defaults, {
    batch: (index) => ({
      images: picturesAt(device, pictures, order(index)),
      noise: randn(device, [size, channels, side, side], { seed, stream: index }),
    }),
    release: ({ images }) => { images.dispose() },
    loss: ({ images, noise }) => autoencoderLoss(vae, images, noise, weights),
  })
}
