import type { Tensor } from '@antipode/core'
import { Conv2d, type Initialiser, type Layer, Module } from '@antipode/core/nn'
import { checkImages } from './check-images.ts'
import { Decoder, Encoder } from './coders.ts'
import type { Coder } from './coding.ts'
import { type AutoencoderKLConfig, resolveAutoencoderKLConfig } from './config.ts'
import { DiagonalGaussian } from './diagonal-gaussian.ts'
import { code, codeInParts, type InPartsOptions, type PartsOptions } from './parts.ts'

/** Of tiles. Source: diffusers' `tile_overlap_factor`. */
const overlap = 0.25

/**
 * The autoencoder of Stable Diffusion 1.x, 2.x and XL: images as latents of an eighth of their side, with the parameter
 * names of diffusers' checkpoints. Latents are those of the model: the scaling factor of the configuration is a
 * pipeline's business. Source: Rombach et al. 2022, arXiv 2112.10752; diffusers `autoencoder_kl.py`.
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

  /** Share of a tile that the next one covers as well, unless a call says otherwise. */
  get tileOverlap(): number {
    return overlap
  }

  /**
   * Images `[B, in_channels, H, W]` in [−1, 1] -> the distribution of their latents `[B, latent_channels, ⌊H/f⌋,
   * ⌊W/f⌋]`. The model computes in the dtype of its parameters and gives that of the images.
   * @throws {ShapeError} unless x is images of the model's channels @throws {ConfigError} if an option is none
   */
  encode(x: Tensor, options: PartsOptions = {}): DiagonalGaussian {
    return new DiagonalGaussian(code(encoding(this, 'encode', x), x, options))
  }

  /** {@link encode}, computed part by part; the moments own their memory. @throws {unknown} the signal's reason */
  async encodeInParts(x: Tensor, options: InPartsOptions = {}): Promise<DiagonalGaussian> {
    return new DiagonalGaussian(await codeInParts(encoding(this, 'encodeInParts', x), x, options))
  }

  /**
   * Latents `[B, latent_channels, h, w]` -> images `[B, out_channels, h·f, w·f]`, about in [−1, 1].
   * @throws {ShapeError} unless z is latents of the model's channels @throws {ConfigError} if an option is none
   */
  decode(z: Tensor, options: PartsOptions = {}): Tensor {
    return code(decoding(this, 'decode', z), z, options)
  }

  /** {@link decode}, computed part by part; the images own their memory. @throws {unknown} the signal's reason */
  async decodeInParts(z: Tensor, options: InPartsOptions = {}): Promise<Tensor> {
    return await codeInParts(decoding(this, 'decodeInParts', z), z, options)
  }
}

function encoding(model: AutoencoderKL, name: string, images: Tensor): Coder {
  const { inChannels, sampleSize } = resolveAutoencoderKLConfig(model.config)
  const where = `AutoencoderKL.${name}`
  checkImages(where, 'images', images, inChannels)
  return {
    where, from: model.scale, to: 1, round: Math.floor, tiling: { size: sampleSize, overlap },
    run(x) {
      const h = model.encoder.forward(x.to(model.dtype))
      return (model.quantConv?.forward(h) ?? h).to(x.dtype)
    },
  }
}

function decoding(model: AutoencoderKL, name: string, latents: Tensor): Coder {
  const { latentChannels, sampleSize } = resolveAutoencoderKLConfig(model.config)
  const where = `AutoencoderKL.${name}`
  checkImages(where, 'latents', latents, latentChannels)
  return {
    where, from: 1, to: model.scale, round: Math.floor, tiling: { size: sampleSize, overlap },
    run(z) {
      const h = z.to(model.dtype)
      return model.decoder.forward(model.postQuantConv?.forward(h) ?? h).to(z.dtype)
    },
  }
}
