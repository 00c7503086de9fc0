import { ConfigError, constant, type Tensor, concat, where } from '@antipode/core'
import { Conv2d, Embedding, GroupNorm, type Initialiser, type Layer, linears, Module } from '@antipode/core/nn'
import { anObject, checkArgument, checkOptions, finite, flag, type Range, type Ranges } from '@antipode/core/options'
import {
  Pass, patchesToPixels, pixelsToPatches, type ResnetBlock2D, timestepEmbedding, TimestepEmbedding, type Wrappers,
} from '../layers/index.ts'
import { type Attention, type BlockSizes, DownBlock, MidBlock, UpBlock } from './blocks.ts'
import type { ResolvedUNet2DConfig, UNet2DConfig } from './config.ts'
import { resolveUNet2DConfig } from './resolve-config.ts'

/** What a prediction is conditioned on: tensors by name, each with a row for each image. */
export type UNet2DCondition = {
  /** Tokens of the prompt, `[B,M,cross_attention_dim]`: what cross-attention needs, and nothing else reads. */
  readonly context?: Tensor
  /**
   * Class of each image, i32 `[B]`; −1, or no labels at all, is the last class of the table, which stands for "no
   * class".
   */
  readonly classLabels?: Tensor
  /** SDXL's pooled prompt, `[B,1280]`. */
  readonly textEmbeds?: Tensor
  /** SDXL's six numbers on size and crop, `[B,6]`. */
  readonly timeIds?: Tensor
}

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

const aTensor = anObject('a tensor')
const conditionRanges: Ranges<UNet2DCondition> = {
  context: aTensor, classLabels: aTensor, textEmbeds: aTensor, timeIds: aTensor,
}
const aMap: Range = { expected: 'a Map from layers to functions', accepts: (v) => v instanceof Map }
const optionRanges: Ranges<UNet2DOptions> = { wrappers: aMap, checkpoint: flag }

/**
 * The denoiser of Stable Diffusion 1.x, 2.x and XL, and of class-conditional models of the same vocabulary: a UNet
 * whose blocks are named in its configuration, with the parameter names of diffusers' checkpoints. Source: Rombach et
 * al. 2022; diffusers `unet_2d_condition.py`.
 */
export class UNet2DConditionModel extends Module {
  readonly className = 'UNet2DConditionModel'
  readonly config: UNet2DConfig
  readonly convIn: Layer
  readonly timeEmbedding: TimestepEmbedding
  readonly classEmbedding: Embedding | undefined
  readonly addEmbedding: TimestepEmbedding | undefined
  readonly downBlocks: readonly DownBlock[]
  /** None where `mid_block_type` is null. */
  readonly midBlock: MidBlock | undefined
  readonly upBlocks: readonly UpBlock[]
  readonly convNormOut: GroupNorm
  readonly convOut: Layer

  /** @throws {ConfigError} that names a field which is unknown or has a value that this model does not know */
  constructor(init: Initialiser, config: UNet2DConfig) {
    super()
    const c = resolveUNet2DConfig(config)
    const { channels } = c
    const [first = 0] = channels
    const timeWidth = 4 * first
    const last = channels.length - 1
    const at = (i: number): number => channels[Math.max(0, Math.min(i, last))] ?? first
    // Blocks on the way up are asked for by their place there, `own`, where diffusers reads a list from its start.
    const sizes = (i: number, type: string, own = i): BlockSizes => ({
      outChannels: at(i), timeWidth, groups: c.groups, eps: c.eps, attention: attentionOf(type, c, i, own),
    })
    this.config = config
    this.convIn = Conv2d.of(init, c.inChannels * c.patch ** 2, first, 3, { padding: 1 })
    this.timeEmbedding = new TimestepEmbedding(init, first, timeWidth)
    this.classEmbedding = c.classes ? Embedding.of(init, c.classes, timeWidth) : undefined
    this.addEmbedding = c.addition ? new TimestepEmbedding(init, c.addition.inputs, timeWidth) : undefined
    this.downBlocks = c.downTypes.map((type, i) => new DownBlock(init, {
      ...sizes(i, type), inChannels: at(i - 1), layers: c.layers[i] ?? 0,
      downsample: i < last ? { padding: c.downsamplePadding } : undefined,
    }))
    const middle = c.midType === 'UNetMidBlock2D' && c.midAttention ? 'Attn' : c.midType
    this.midBlock = middle ? new MidBlock(init, sizes(last, middle)) : undefined
    this.upBlocks = c.upTypes.map((type, k) => {
      const i = last - k
      const layers = c.layers[i] ?? 0
      return new UpBlock(init, {
        ...sizes(i, type, k), inChannels: at(i + 1), upsample: i > 0,
        skipChannels: Array.from({ length: layers + 1 }, (_, layer) => (layer < layers ? at(i) : at(i - 1))),
      })
    })
    this.convNormOut = GroupNorm.of(init, c.groups, first, { eps: c.eps })
    this.convOut = Conv2d.of(init, first, c.outChannels * c.patch ** 2, 3, { padding: 1 })
  }

  /**
   * x `[B, in_channels, H, W]`, timesteps `[B]`, or one number for all -> the prediction `[B, out_channels, H, W]`. H
   * and W must be divisible by the patch size and by 2 for each downsampling. The prediction has x's dtype; in between
   * the model computes in that of its parameters, with sums and the waves of time in f32.
   * @throws {ConfigError} if a condition is missing, unknown, or none of the model's; an option is unknown; a timestep
   * is not finite; or a wrapper stands around a layer that this model does not run
   */
  forward(x: Tensor, timesteps: Tensor | number, condition: UNet2DCondition = {}, options: UNet2DOptions = {}): Tensor {
    checkOptions('UNet2DConditionModel', condition, conditionRanges)
    checkOptions('UNet2DConditionModel', options, optionRanges)
    if (typeof timesteps === 'number') checkArgument('UNet2DConditionModel', 'timesteps', timesteps, finite)
    const c = resolveUNet2DConfig(this.config)
    if (!condition.context && [...c.downTypes, c.midType, ...c.upTypes].some((type) => type?.includes('CrossAttn'))) {
      throw new ConfigError(
        'UNet2DConditionModel: expected context, the tokens of the prompt, as the model has cross-attention, got ' +
          'none',
      )
    }
    const { dtype } = this
    const time = this.embed(x, timesteps, condition, c).silu()
    const pass = new Pass({ time, context: condition.context?.to(dtype) }, options.wrappers)
    const call = { shifts: this.shifts(time), pass, checkpoint: options.checkpoint }
    const patches = pixelsToPatches(x.to(dtype), c.patch)
    let h = pass.run(this.convIn, [patches], (image) => this.convIn.forward(image as Tensor))
    const skips = [h]
    for (const block of this.downBlocks) {
      skips.push(...block.forward(h, call))
      h = skips.at(-1) ?? h
    }
    const middle = this.midBlock
    if (middle) h = pass.run(middle, [h], (image) => middle.forward(image as Tensor, call))
    for (const block of this.upBlocks) h = block.forward(h, skips, call)
    pass.checkReached('UNet2DConditionModel')
    const out = this.convOut.forward(this.convNormOut.forward(h, { activation: 'silu' }))
    return patchesToPixels(out, c.patch).to(x.dtype)
  }

  /** What each resnet makes of the embedding `[B, timeWidth]` after its SiLU. */
  protected shifts(time: Tensor): Map<ResnetBlock2D, readonly Tensor[]> {
    const resnets = [...this.downBlocks, this.midBlock, ...this.upBlocks].flatMap((block) => block?.resnets ?? [])
    const timed = resnets.flatMap((resnet) => (resnet.timeEmbProj ? [{ resnet, layer: resnet.timeEmbProj }] : []))
    const shifts = linears(timed.map(({ layer }) => layer), time)
    return new Map(timed.map(({ resnet }, k) => [resnet, shifts[k] ?? []]))
  }

  /** Embedding of time, class and added conditions, before its SiLU: `[B, timeWidth]`. */
  protected embed(x: Tensor, timesteps: Tensor | number, condition: UNet2DCondition, c: ResolvedUNet2DConfig): Tensor {
    const { classLabels, textEmbeds, timeIds } = condition
    const [batch = 1] = x.shape
    const t = typeof timesteps === 'number' ? constant(x.device, [timesteps]) : timesteps
    const waves = { flipSinToCos: c.flipSinToCos, freqShift: c.freqShift }
    let embedding = this.timeEmbedding.forward(timestepEmbedding(t, c.channels[0] ?? 0, waves)).expand([batch, -1])
    if (this.classEmbedding && c.classes) {
      const none = c.classes - 1
      const labels = classLabels?.to('i32') ?? constant(x.device, [none], [1], { dtype: 'i32' }).expand([batch])
      embedding = embedding.add(this.classEmbedding.forward(where(labels.lt(0), none, labels)))
    } else if (classLabels) {
      throw new ConfigError('UNet2DConditionModel: expected no classLabels, as num_class_embeds is not set')
    }
    if (this.addEmbedding && c.addition) {
      if (!textEmbeds || !timeIds) {
        throw new ConfigError(
          'UNet2DConditionModel: expected textEmbeds and timeIds, as addition_embed_type is text_time',
        )
      }
      const ids = timestepEmbedding(timeIds.reshape([-1]), c.addition.timeWidth, waves).reshape([batch, -1])
      embedding = embedding.add(this.addEmbedding.forward(concat([textEmbeds.to('f32'), ids], 1)))
    } else if (textEmbeds ?? timeIds) {
      throw new ConfigError(
        'UNet2DConditionModel: expected no textEmbeds and timeIds, as addition_embed_type is not set',
      )
    }
    return embedding
  }
}

function attentionOf(type: string, c: ResolvedUNet2DConfig, i: number, own: number): Attention {
  if (type.includes('CrossAttn')) {
    const { heads, transformerLayers, contextWidths, linearProjection } = c
    const [layers = 1, contextWidth = 0] = [transformerLayers[i], contextWidths[i]]
    return { kind: 'cross', heads: heads[i] ?? 1, layers, contextWidth, linearProjection }
  }
  return type.startsWith('Attn') ? { kind: 'self', headWidth: c.headWidths[own] ?? 1 } : { kind: 'none' }
}
