import type { Tensor } from '@antipode/core'
import { type Initialiser, linears } from '@antipode/core/nn'
import { checkArgument, checkOptions, finite, flag, type Range, type Ranges } from '@antipode/core/options'
import { activate, Pass, type ResnetBlock2D, type Wrappers } from '../layers/index.ts'
import { attentionOf } from './attention.ts'
import { type BlockCall, type BlockSizes, DownBlock, MidBlock, type UpBlock } from './blocks.ts'
import type { ResolvedUNet2DConfig } from './config.ts'
import { conditionRanges, type UNet2DCondition, UNetInput } from './unet-input.ts'

/** How a prediction is computed. */
export interface UNet2DOptions {
  /**
   * What stands around layers of this very model: around `convIn`, `midBlock`, each of the `resnets` and `attentions`
   * of its blocks, and, in attentions that have them, each of the `transformerBlocks` and its `attn1`, `attn2` and
   * `ff`. A resnet on the way up has two inputs: what comes from below, and what comes across. See {@link wrappersOf},
   * and {@link attending} for what an attention makes of queries, keys and values.
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
export const ofResnets: RegExp = /^Resnet|Simple/

/** What a UNet computes on. */
export interface UNetCall {
  readonly x: Tensor
  readonly timesteps: Tensor | number
  readonly condition: UNet2DCondition
  readonly options: UNet2DOptions
}

/** The way down of a UNet and its middle, which a ControlNet has too. */
export abstract class UNetEncoder extends UNetInput {
  readonly downBlocks: readonly DownBlock[]
  /** None where `mid_block_type` is null. */
  readonly midBlock: MidBlock | undefined

  constructor(init: Initialiser, c: ResolvedUNet2DConfig) {
    super(init, c)
    const { channels, downTypes, midType } = c
    const last = channels.length - 1
    this.downBlocks = downTypes.map((type, i) => new DownBlock(init, {
      ...blockSizes(c, type, i), inChannels: channels[Math.max(0, i - 1)] ?? 0, layers: c.layers[i] ?? 0,
      downsample: i === last ? undefined : ofResnets.test(type) ? 'resnet' : { padding: c.downsamplePadding },
    }))
    this.midBlock = midType ? new MidBlock(init, blockSizes(c, midType, last)) : undefined
  }

  /**
   * Down to the middle. @param entered what goes on of what the first convolution gives
   * @returns what every block is called with, what goes across, and what the middle gives
   */
  protected down(
    { x, timesteps, condition, options }: UNetCall,
    entered: (h: Tensor) => Tensor = (h) => h,
  ): { readonly call: BlockCall; readonly skips: Tensor[]; readonly middle: Tensor } {
    checkOptions(this.className, condition, conditionRanges)
    checkOptions(this.className, options, optionRanges)
    if (typeof timesteps === 'number') checkArgument(this.className, 'timesteps', timesteps, finite)
    const context = this.context(condition)
    const embedding = this.embed(x, timesteps, condition)
    const time = activate(embedding, this.resolved.activation)
    const pass = new Pass({ time, context }, options.wrappers)
    const call = { shifts: this.shifts(embedding, time), pass, checkpoint: options.checkpoint }
    let h = entered(pass.run(this.convIn, [this.pixels(x)], (image) => this.convIn.forward(image as Tensor)))
    const skips = [h]
    for (const block of this.downBlocks) {
      skips.push(...block.forward(h, call))
      h = skips.at(-1) ?? h
    }
    const { midBlock } = this
    return { call, skips, middle: midBlock ? pass.run(midBlock, [h], (x) => midBlock.forward(x as Tensor, call)) : h }
  }

  /** All blocks, in the order in which they run. */
  protected blocks(): (DownBlock | MidBlock | UpBlock)[] {
    return [...this.downBlocks, ...(this.midBlock ? [this.midBlock] : [])]
  }

  /** What each resnet makes of the embedding, `[B, timeWidth]` before and after its activation. */
  private shifts(embedding: Tensor, time: Tensor): Map<ResnetBlock2D, readonly Tensor[]> {
    const timed = (bare: boolean): ResnetBlock2D[] =>
      this.blocks().filter(({ bareTime }) => bareTime === bare).flatMap((block) => block.timed())
    return new Map([...shiftsOf(timed(false), time), ...shiftsOf(timed(true), embedding)])
  }
}

/**
 * Sizes of a block. @param level its place on the way down @param own its place on its own way, from whose start
 * diffusers reads some lists
 */
export function blockSizes(c: ResolvedUNet2DConfig, type: string, level: number, own: number = level): BlockSizes {
  const { groups, eps, activation, scaleShift } = c
  return {
    outChannels: c.channels[level] ?? 0,
    attention: attentionOf(type, c, level, own),
    bareTime: c.skipTimeActivation && ofResnets.test(type),
    resnet: {
      timeWidth: c.classConcat ? 2 * c.timeWidth : c.timeWidth, groups, eps, activation, scaleShift,
      outputScale: type.includes('Mid') ? c.midScale : ofResnets.test(type) ? c.resnetScale : 1,
    },
  }
}

/** What the resnets' own layers make of an embedding, computed side by side. */
function shiftsOf(resnets: readonly ResnetBlock2D[], time: Tensor): Map<ResnetBlock2D, readonly Tensor[]> {
  const timed = resnets.flatMap((resnet) => (resnet.timeEmbProj ? [{ resnet, layer: resnet.timeEmbProj }] : []))
  const shifts = linears(timed.map(({ layer }) => layer), time)
  return new Map(timed.map(({ resnet }, k) => [resnet, shifts[k] ?? []]))
}
