import type { Tensor } from '@antipode/core'
import { type Initialiser, Module } from '@antipode/core/nn'
import { checkImages } from './check-images.ts'
import type { Coder, Tiling } from './coding.ts'
import { code, codeInParts, type InPartsOptions, type PartsOptions } from './parts.ts'
import { TinyDecoder, TinyEncoder } from './tiny-coders.ts'
import { type AutoencoderTinyConfig, resolveAutoencoderTinyConfig } from './tiny-config.ts'

/** What diffusers' class has, whatever the model learnt from. */
const tiling: Required<Tiling> = { size: 512, overlap: 0.125 }

/**
 * An autoencoder of a few million parameters, for previews and small machines: TAESD, TAESDXL and, with
 * `use_midblock_gn`, TAEF2. It has latents and parameter names of diffusers' class of this name, and tiles that are
 * blended as those of `AutoencoderKL`. Source: https://github.com/madebyollin/taesd; diffusers `autoencoder_tiny.py`.
 */
export class AutoencoderTiny extends Module {
  readonly className = 'AutoencoderTiny'
  readonly config: AutoencoderTinyConfig
  readonly encoder: TinyEncoder
  readonly decoder: TinyDecoder

  /** @throws {ConfigError} that names a field which is unknown or has a value that this model does not know */
  constructor(init: Initialiser, config: AutoencoderTinyConfig = {}) {
    super()
    const c = resolveAutoencoderTinyConfig(config)
    this.config = config
    this.encoder = new TinyEncoder(init, c)
    this.decoder = new TinyDecoder(init, c)
  }

  /** Pixels for a latent, along a side, when decoding. */
  get scale(): number {
    const { upsampling, decoder } = resolveAutoencoderTinyConfig(this.config)
    return upsampling ** (decoder.blocks.length - 1)
  }

  /** Share of a tile that the next one covers as well, unless a call says otherwise. */
  get tileOverlap(): number {
    return tiling.overlap
  }

  /**
   * Images `[B, in_channels, H, W]` in [−1, 1] -> latents `[B, latent_channels, ⌈H/f⌉, ⌈W/f⌉]`. The model computes in
   * the dtype of its parameters and gives that of the images.
   * @throws {ShapeError} unless x is images of the model's channels @throws {ConfigError} if an option is none
   */
  encode(x: Tensor, options: PartsOptions = {}): Tensor {
    return code(encoding(this, 'encode', x), x, options)
  }

  /** {@link encode}, computed part by part. @throws {unknown} the signal's reason */
  async encodeInParts(x: Tensor, options: InPartsOptions = {}): Promise<Tensor> {
    return await codeInParts(encoding(this, 'encodeInParts', x), x, options)
  }

  /**
   * Latents `[B, latent_channels, h, w]` -> images `[B, out_channels, h·f, w·f]`, about in [−1, 1].
   * @throws {ShapeError} unless z is latents of the model's channels @throws {ConfigError} if an option is none
   */
  decode(z: Tensor, options: PartsOptions = {}): Tensor {
    return code(decoding(this, 'decode', z), z, options)
  }

  /** {@link decode}, computed part by part. @throws {unknown} the signal's reason */
  async decodeInParts(z: Tensor, options: InPartsOptions = {}): Promise<Tensor> {
    return await codeInParts(decoding(this, 'decodeInParts', z), z, options)
  }
}

function encoding(model: AutoencoderTiny, name: string, images: Tensor): Coder {
  const { inChannels, encoder } = resolveAutoencoderTinyConfig(model.config)
  const where = `AutoencoderTiny.${name}`
  checkImages(where, 'images', images, inChannels)
  return {
    where, from: 2 ** (encoder.blocks.length - 1), to: 1, round: Math.ceil, tiling,
    run: (x) => model.encoder.forward(x.to(model.dtype)).to(x.dtype),
  }
}

function decoding(model: AutoencoderTiny, name: string, latents: Tensor): Coder {
  const { latentChannels } = resolveAutoencoderTinyConfig(model.config)
  const where = `AutoencoderTiny.${name}`
  checkImages(where, 'latents', latents, latentChannels)
  return {
    where, from: 1, to: model.scale, round: Math.ceil, tiling,
    run: (z) => model.decoder.forward(z.to(model.dtype)).to(z.dtype),
  }
}
