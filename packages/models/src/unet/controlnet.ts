import { concat, ShapeError, type Tensor } from '@antipode/core'
import { Conv2d, type Initialiser, type Layer, Module } from '@antipode/core/nn'
import { atLeast, checkOptions, flag, type Ranges } from '@antipode/core/options'
import { type ControlNetConfig, type ResolvedControlNetConfig, resolveControlNetConfig } from './controlnet-config.ts'
import type { Residuals } from './residuals.ts'
import { UNetEncoder, type UNet2DOptions } from './unet-encoder.ts'
import type { UNet2DCondition } from './unet-input.ts'

/** How a ControlNet leads. */
export interface ControlNetOptions extends UNet2DOptions {
  /** By what all residuals are multiplied: 0 or more, 1 by default. */
  readonly scale?: number | undefined
  /** Whether residuals of high resolutions are weakened, down to a tenth, so that it leads without a prompt. */
  readonly guess?: boolean | undefined
}

const ownRanges: Ranges<Pick<ControlNetOptions, 'scale' | 'guess'>> = { scale: atLeast(0), guess: flag }

/** The image that leads as something to add to the latents behind their first convolution. */
class ConditioningEmbedding extends Module {
  readonly convIn: Layer
  readonly blocks: readonly Layer[]
  readonly convOut: Layer

  constructor(init: Initialiser, { imageChannels, embedding, unet }: ResolvedControlNetConfig) {
    super()
    const conv = (from: number, to: number, stride = 1): Layer => Conv2d.of(init, from, to, 3, { padding: 1, stride })
    const [first = 1] = embedding
    this.convIn = conv(imageChannels, first)
    this.blocks = embedding.slice(1).flatMap((to, i) => {
      const from = embedding[i] ?? 1
      return [conv(from, from), conv(from, to, 2)]
    })
    this.convOut = conv(embedding.at(-1) ?? 1, unet.channels[0] ?? 1)
  }

  forward(image: Tensor): Tensor {
    const h = this.blocks.reduce((h, block) => block.forward(h).silu(), this.convIn.forward(image).silu())
    return this.convOut.forward(h)
  }
}

/**
 * A copy of a UNet's way down that looks at an image as well, and whose outputs are added to what comes across in that
 * UNet: see {@link addResiduals}. Source: Zhang et al. 2023, https://arxiv.org/abs/2302.05543; diffusers
 * `controlnet.py`.
 * @example
 * const residuals = controlNet.forward(x, t, edges, { context }, { scale: 0.8 })
 * unet.forward(x, t, { context }, { wrappers: addResiduals(unet, residuals) })
 */
export class ControlNetModel extends UNetEncoder {
  readonly className = 'ControlNetModel'
  readonly config: ControlNetConfig
  readonly controlnetCondEmbedding: ConditioningEmbedding
  readonly controlnetDownBlocks: readonly Layer[]
  readonly controlnetMidBlock: Layer
  private readonly lead: ResolvedControlNetConfig

  /** @throws {ConfigError} that names a field which is unknown or has a value that this model does not know */
  constructor(init: Initialiser, config: ControlNetConfig) {
    const c = resolveControlNetConfig(config)
    super(init, c.unet)
    this.config = config
    this.lead = c
    const { channels, layers } = c.unet
    const like = (width: number): Layer => Conv2d.of(init, width, width, 1)
    this.controlnetCondEmbedding = new ConditioningEmbedding(init, c)
    const last = channels.length - 1
    this.controlnetDownBlocks = [like(channels[0] ?? 1), ...channels.flatMap((width, i) => (
      Array.from({ length: (layers[i] ?? 0) + (i < last ? 1 : 0) }, () => like(width))
    ))]
    this.controlnetMidBlock = like(channels[last] ?? 1)
  }

  /**
   * x, timesteps and condition as the UNet's; image `[B, conditioning_channels, H·8, W·8]` of numbers in [0, 1], or as
   * large as its embedding makes it as large as x -> a residual for each output of the UNet's way down, and for its
   * middle.
   * @throws {ShapeError} if the image has another size @throws {ConfigError} as the UNet, and on a scale below 0
   */
  forward(
    x: Tensor,
    timesteps: Tensor | number,
    image: Tensor,
    condition: UNet2DCondition = {},
    { scale = 1, guess = false, ...options }: ControlNetOptions = {},
  ): Residuals {
    checkOptions(this.className, { scale, guess }, ownRanges)
    const { imageChannels, embedding, reversed, pooled } = this.lead
    const factor = 2 ** (embedding.length - 1)
    const wanted = [imageChannels, ...x.shape.slice(2).map((side) => side * factor)]
    if (image.rank !== 4 || image.shape.slice(1).join() !== wanted.join()) {
      throw new ShapeError(
        `${this.className}: expected an image [B,${wanted.join()}], ${factor} times as large as what is denoised, got ` +
          `[${image.shape.join()}]; resize it`,
      )
    }
    const channels = Array.from({ length: imageChannels }, (_, i) => imageChannels - 1 - i)
    const given = reversed ? concat(channels.map((i) => image.slice(1, i, i + 1)), 1) : image
    const led = this.controlnetCondEmbedding.forward(given.to(this.dtype))
    const { call, skips, middle } = this.down({ x, timesteps, condition, options }, (h) => h.add(led))
    call.pass.checkReached(this.className)
    const residual = (layer: Layer, h: Tensor, weight: number): Tensor => {
      const scaled = layer.forward(h).mul(scale * weight)
      return pooled ? scaled.mean({ axes: [2, 3], keepDims: true }) : scaled
    }
    // From a tenth to the whole, evenly in their logarithm.
    const weight = (i: number): number => (guess && !pooled ? 10 ** (i / skips.length - 1) : 1)
    return {
      skips: this.controlnetDownBlocks.map((layer, i) => residual(layer, skips[i] as Tensor, weight(i))),
      middle: residual(this.controlnetMidBlock, middle, 1),
    }
  }
}
