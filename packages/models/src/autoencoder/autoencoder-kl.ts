import { ShapeError, type Tensor } from '@antipode/core'
import { Conv2d, type Initialiser, type Layer, Module } from '@antipode/core/nn'
import { Decoder, Encoder } from './coders.ts'
import { type AutoencoderKLConfig, resolveAutoencoderKLConfig } from './config.ts'
import { DiagonalGaussian } from './diagonal-gaussian.ts'

/**
 * The autoencoder of Stable Diffusion 1.x, 2.x and XL: images as latents of an eighth of their side, with the parameter names of
 * diffusers' checkpoints. Latents are those of the model: the scaling factor of the configuration is a pipeline's business.
 * Source: Rombach et al. 2022, arXiv 2112.10752; diffusers `autoencoder_kl.py`.
 */
export class AutoencoderKL extends Module {
  readonly className = 'AutoencoderKL'
  readonly config: AutoencoderKLConfig
  readonly encoder: Encoder
  readonly decoder: Decoder
  readonly quantConv: Layer | undefined
  readonly postQuantConv: Layer | undefined

  /** @throws {ConfigError} that names a field which is unknown or has a value that this model does not know */
  constructor(init: Initialiser, config: AutoencoderKLConfig) {
    super()
    const c = resolveAutoencoderKLConfig(config)
    this.config = config
    this.encoder = new Encoder(init, c)
    this.decoder = new Decoder(init, c)
    this.quantConv = c.quantConv ? Conv2d.of(init, 2 * c.latentChannels, 2 * c.latentChannels, 1) : undefined
    this.postQuantConv = c.postQuantConv ? Conv2d.of(init, c.latentChannels, c.latentChannels, 1) : undefined
  }

  /** Pixels for a latent, along a side. */
  get scale(): number {
    return 2 ** (resolveAutoencoderKLConfig(this.config).channels.length - 1)
  }

  /**
   * Images `[B, in_channels, H, W]` in [−1, 1] -> the distribution of their latents `[B, latent_channels, ⌊H/f⌋, ⌊W/f⌋]`.
   * The model computes in the dtype of its parameters and gives that of the images.
   * @throws {ShapeError} unless x is images of the model's channels
   */
  encode(x: Tensor): DiagonalGaussian {
    checkImages('encode', 'images', x, resolveAutoencoderKLConfig(this.config).inChannels)
    const h = this.encoder.forward(x.to(this.dtype))
    return new DiagonalGaussian((this.quantConv?.forward(h) ?? h).to(x.dtype))
  }

  /**
   * Latents `[B, latent_channels, h, w]` -> images `[B, out_channels, h·f, w·f]`, about in [−1, 1].
   * @throws {ShapeError} unless z is latents of the model's channels
   */
  decode(z: Tensor): Tensor {
    checkImages('decode', 'latents', z, resolveAutoencoderKLConfig(this.config).latentChannels)
    const h = z.to(this.dtype)
    return this.decoder.forward(this.postQuantConv?.forward(h) ?? h).to(z.dtype)
  }
}

function checkImages(where: string, what: string, x: Tensor, channels: number): void {
  if (x.rank === 4 && x.shape[1] === channels) return
  throw new ShapeError(`AutoencoderKL.${where}: expected ${what} [B,${channels},H,W], got [${x.shape.join()}]`)
}
