import type { Tensor } from '@antipode/core'
import { Conv2d, GroupNorm, type Initialiser, type Layer, linears } from '@antipode/core/nn'
import { checkArgument, checkOptions, finite, flag, type Range, type Ranges } from '@antipode/core/options'
import { activate, normActivate, Pass, patchesToPixels, type ResnetBlock2D, type Wrappers } from '../layers/index.ts'
import { attentionOf } from './attention.ts'
import { type BlockSizes, DownBlock, MidBlock, UpBlock } from './blocks.ts'
import type { UNet2DConfig } from './config.ts'
import { conditionRanges, type UNet2DCondition, UNetInput } from './unet-input.ts'

/** How a prediction is computed. */
export interface UNet2DOptions {
  /**
   * What stands around layers of this very model: around `convIn`, `midBlock`, each of the `resnets` and `attentions`
   * of its blocks, and, in attentions that have them, each of the `transformerBlocks` and its `attn1` and `attn2`. A
   * resnet on the way up has two inputs: what comes from below, and what comes across. See {@link wrappersOf}.
   */
  readonly wrappers?: Wrappers | undefined
  /**
   * Gradient checkpointing: each resnet with its attention is computed again in the backward pass instead of keeping
   * what it computed in between, for a third more work at most. Changes no value.
   */
  readonly checkpoint?: boolean | undefined
}

const aMap: Range = { expected: 'a Map from layers to functions', accepts: (v) => v instanceof Map }
const optionRanges: Ranges<UNet2DOptions> = { wrappers: aMap, checkpoint: flag }

/** Types of blocks whose resolution is changed by resnets, and which alone read some fields of the configuration. */
const ofResnets = /^Resnet|Simple/

/**
 * The denoiser of Stable Diffusion 1.x, 2.x and XL, and of class-conditional models of the same vocabulary: a UNet
 * whose blocks are named in its configuration, with the parameter names of diffusers' checkpoints. Source: Rombach et
 * al. 2022; diffusers `unet_2d_condition.py`.
 */
export class UNet2DConditionModel extends UNetInput {
  readonly className = 'UNet2DConditionModel'
  readonly downBlocks: readonly DownBlock[]
  /** None where `mid_block_type` is null. */
  readonly midBlock: MidBlock | undefined
  readonly upBlocks: readonly UpBlock[]
  readonly convNormOut: GroupNorm
  readonly convOut: Layer

  /** @throws {ConfigError} that names a field which is unknown or has a value that this model does not know */
  constructor(init: Initialiser, config: UNet2DConfig) {
    super(init, config)
    const c = this.resolved
    const { channels, groups, eps, activation, scaleShift } = c
    const [first = 0] = channels
    const last = channels.length - 1
    const at = (i: number): number => channels[Math.max(0, Math.min(i, last))] ?? first
    const timeWidth = c.classConcat ? 2 * c.timeWidth : c.timeWidth
    // Blocks on the way up are asked for by their place there, `own`, where diffusers reads a list from its start.
    const sizes = (type: string, i: number, own = i): BlockSizes => ({
      outChannels: at(i), attention: attentionOf(type, c, i, own),
      bareTime: c.skipTimeActivation && ofResnets.test(type),
      resnet: {
        timeWidth, groups, eps, activation, scaleShift,
        outputScale: type.includes('Mid') ? c.midScale : ofResnets.test(type) ? c.resnetScale : 1,
      },
    })
    this.downBlocks = c.downTypes.map((type, i) => new DownBlock(init, {
      ...sizes(type, i), inChannels: at(i - 1), layers: c.layers[i] ?? 0,
      downsample: i === last ? undefined : ofResnets.test(type) ? 'resnet' : { padding: c.downsamplePadding },
    }))
    this.midBlock = c.midType ? new MidBlock(init, sizes(c.midType, last)) : undefined
    this.upBlocks = c.upTypes.map((type, k) => {
      const i = last - k
      const layers = c.layers[i] ?? 0
      return new UpBlock(init, {
        ...sizes(type, i, k), inChannels: at(i + 1),
        upsample: i === 0 ? undefined : ofResnets.test(type) ? 'resnet' : 'conv',
        skipChannels: Array.from({ length: layers + 1 }, (_, layer) => (layer < layers ? at(i) : at(i - 1))),
      })
    })
    this.convNormOut = GroupNorm.of(init, groups, first, { eps })
    this.convOut = Conv2d.of(init, first, c.outChannels * c.patch ** 2, c.kernelOut, { padding: (c.kernelOut - 1) / 2 })
  }

  /**
   * x `[B, in_channels, H, W]`, timesteps `[B]`, or one number for all -> the prediction `[B, out_channels, H, W]`. The
   * patch size divides H and W. The prediction has x's dtype; in between the model computes in that of its parameters,
   * with sums and the waves of time in f32.
   * @throws {ConfigError} if a condition is missing, unknown, or none of the model's; an option is unknown; a timestep
   * is not finite; or a wrapper stands around a layer that this model does not run
   */
  forward(x: Tensor, timesteps: Tensor | number, condition: UNet2DCondition = {}, options: UNet2DOptions = {}): Tensor {
    checkOptions('UNet2DConditionModel', condition, conditionRanges)
    checkOptions('UNet2DConditionModel', options, optionRanges)
    if (typeof timesteps === 'number') checkArgument('UNet2DConditionModel', 'timesteps', timesteps, finite)
    const { activation, patch } = this.resolved
    const context = this.context(condition)
    const embedding = this.embed(x, timesteps, condition)
    const time = activate(embedding, activation)
    const pass = new Pass({ time, context }, options.wrappers)
    const call = { shifts: this.shifts(embedding, time), pass, checkpoint: options.checkpoint }
    let h = pass.run(this.convIn, [this.pixels(x)], (image) => this.convIn.forward(image as Tensor))
    const skips = [h]
    for (const block of this.downBlocks) {
      skips.push(...block.forward(h, call))
      h = skips.at(-1) ?? h
    }
    const middle = this.midBlock
    if (middle) h = pass.run(middle, [h], (image) => middle.forward(image as Tensor, call))
    for (const block of this.upBlocks) h = block.forward(h, skips, call)
    pass.checkReached('UNet2DConditionModel')
    const out = this.convOut.forward(normActivate(this.convNormOut, h, activation))
    return patchesToPixels(out, patch).to(x.dtype)
  }

  /** What each resnet makes of the embedding, `[B, timeWidth]` before and after its activation. */
  private shifts(embedding: Tensor, time: Tensor): Map<ResnetBlock2D, readonly Tensor[]> {
    const blocks = [...this.downBlocks, this.midBlock, ...this.upBlocks].flatMap((block) => block ?? [])
    const timed = (bare: boolean): ResnetBlock2D[] =>
      blocks.filter(({ bareTime }) => bareTime === bare).flatMap((block) => block.timed())
    return new Map([...shiftsOf(timed(false), time), ...shiftsOf(timed(true), embedding)])
  }
}

/** What the resnets' own layers make of an embedding, computed side by side. */
function shiftsOf(resnets: readonly ResnetBlock2D[], time: Tensor): Map<ResnetBlock2D, readonly Tensor[]> {
  const timed = resnets.flatMap((resnet) => (resnet.timeEmbProj ? [{ resnet, layer: resnet.timeEmbProj }] : []))
  const shifts = linears(timed.map(({ layer }) => layer), time)
  return new Map(timed.map(({ resnet }, k) => [resnet, shifts[k] ?? []]))
}
