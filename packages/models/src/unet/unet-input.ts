import { concat, ConfigError, constant, type Tensor, where } from '@antipode/core'
import { Conv2d, Embedding, type Initialiser, type Layer, Linear, Module } from '@antipode/core/nn'
import { anObject, type Ranges } from '@antipode/core/options'
import {
  activate, FourierFeatures, pixelsToPatches, TextTimeEmbedding, timestepEmbedding, TimestepEmbedding,
} from '../layers/index.ts'
import type { ResolvedUNet2DConfig } from './config.ts'

/** What a prediction is conditioned on: tensors by name, each with a row for each image. */
export type UNet2DCondition = {
  /** Tokens of the prompt, `[B,M,width]`: what cross-attention and `addition_embed_type: text` read. */
  readonly context?: Tensor
  /**
   * Class of each image. Of a table i32 `[B]`; −1, or no labels at all, is its last row, which stands for "no class".
   * By `class_embed_type`: numbers `[B]` for `timestep`, and vectors for the other kinds, `[B, width]`.
   */
  readonly classLabels?: Tensor
  /** SDXL's pooled prompt, `[B,1280]`. */
  readonly textEmbeds?: Tensor
  /** SDXL's six numbers on size and crop, `[B,6]`. */
  readonly timeIds?: Tensor
  /** Added to the waves of time behind a projection, `[B, time_cond_proj_dim]`, as LCM does; may be left out. */
  readonly timestepCond?: Tensor
}

const aTensor = anObject('a tensor')
export const conditionRanges: Ranges<UNet2DCondition> = {
  context: aTensor, classLabels: aTensor, textEmbeds: aTensor, timeIds: aTensor, timestepCond: aTensor,
}

/** What a UNet makes of its inputs before its first block: the first convolution, the embedding, the context. */
export abstract class UNetInput extends Module {
  abstract readonly className: string
  /** The configuration with its defaults. */
  readonly resolved: ResolvedUNet2DConfig
  readonly convIn: Layer
  /** Frequencies of time where they are stored. */
  readonly timeProj: FourierFeatures | undefined
  readonly timeEmbedding: TimestepEmbedding
  readonly encoderHidProj: Layer | undefined
  readonly classEmbedding: Embedding | TimestepEmbedding | Linear | undefined
  readonly addEmbedding: TimestepEmbedding | TextTimeEmbedding | undefined

  constructor(init: Initialiser, c: ResolvedUNet2DConfig) {
    super()
    const { timeWidth: width, activation } = c
    const [first = 0] = c.channels
    this.resolved = c
    this.convIn = Conv2d.of(init, c.inChannels * c.patch ** 2, first, c.kernelIn, { padding: (c.kernelIn - 1) / 2 })
    this.timeProj = c.fourier ? new FourierFeatures(init, width, { flipSinToCos: c.flipSinToCos }) : undefined
    const waves = c.fourier ? width : first
    this.timeEmbedding = new TimestepEmbedding(init, waves, width, {
      activation, postActivation: c.timePostActivation, conditionWidth: c.timeConditionWidth,
    })
    this.encoderHidProj = c.contextInputs ? Linear.of(init, c.contextInputs, c.contextWidths[0] ?? 0) : undefined
    this.classEmbedding = classEmbedding(init, c, waves)
    this.addEmbedding = addEmbedding(init, c)
  }

  protected refuse(expected: string): never {
    throw new ConfigError(`${this.className}: expected ${expected}`)
  }

  /** What the first convolution is given: x `[B,C,H,W]` in the model's dtype, centred and in patches as configured. */
  protected pixels(x: Tensor): Tensor {
    const { centred, patch } = this.resolved
    const own = x.to(this.dtype)
    return pixelsToPatches(centred ? own.mul(2).sub(1) : own, patch)
  }

  /** Tokens of the prompt as attention reads them. @throws {ConfigError} if there are none, and attention needs them */
  protected context({ context }: UNet2DCondition): Tensor | undefined {
    if (context) {
      const tokens = context.to(this.dtype)
      return this.encoderHidProj?.forward(tokens) ?? tokens
    }
    const { downTypes, midType, upTypes, addition } = this.resolved
    const crossing = [...downTypes, midType, ...upTypes].some((type) => type?.includes('CrossAttn'))
    if (!crossing && addition?.kind !== 'text') return undefined
    return this.refuse('context, the tokens of the prompt, as the model has cross-attention, got none')
  }

  /** Embedding of time, class and added conditions, before its activation: `[B, timeWidth]`, or twice that. */
  protected embed(x: Tensor, timesteps: Tensor | number, condition: UNet2DCondition): Tensor {
    const { timeConditionWidth, timeActivation, classConcat } = this.resolved
    const { timestepCond } = condition
    const [batch = 1] = x.shape
    if (timestepCond && !timeConditionWidth) this.refuse('no timestepCond, as time_cond_proj_dim is not set')
    const t = typeof timesteps === 'number' ? constant(x.device, [timesteps]) : timesteps
    const time = this.timeEmbedding.forward(this.waves(t), timestepCond).expand([batch, -1])
    const ofClass = this.embedClass(x, condition)
    const added = this.embedAddition(batch, condition)
    const both = ofClass ? classConcat ? concat([time, ofClass], 1) : time.add(ofClass) : time
    const sum = added ? both.add(added) : both
    return timeActivation ? activate(sum, timeActivation) : sum
  }

  /** Waves of numbers such as timesteps, `[N] -> [N, width]`. */
  private waves(t: Tensor): Tensor {
    const { channels, flipSinToCos, freqShift } = this.resolved
    return this.timeProj?.forward(t) ?? timestepEmbedding(t, channels[0] ?? 0, { flipSinToCos, freqShift })
  }

  private embedClass(x: Tensor, { classLabels: labels }: UNet2DCondition): Tensor | undefined {
    const { classes } = this.resolved
    if (!classes) return labels && this.refuse('no classLabels, as neither num_class_embeds nor class_embed_type is set')
    if (classes.kind === 'table') {
      const none = classes.rows - 1
      const rows = labels?.to('i32') ?? constant(x.device, [none], [1], { dtype: 'i32' }).expand([x.shape[0] ?? 1])
      return (this.classEmbedding as Embedding).forward(where(rows.lt(0), none, rows))
    }
    if (!labels) return this.refuse(`classLabels, as class_embed_type is ${classes.kind}, got none`)
    if (classes.kind === 'identity') return labels.to(this.dtype)
    const inputs = classes.kind === 'timestep' ? this.waves(labels) : labels
    return (this.classEmbedding as Layer).forward(inputs.to(this.dtype))
  }

  private embedAddition(batch: number, { context, textEmbeds, timeIds }: UNet2DCondition): Tensor | undefined {
    const { addition, flipSinToCos, freqShift } = this.resolved
    if (addition?.kind !== 'text_time') {
      if (textEmbeds ?? timeIds) this.refuse('no textEmbeds and timeIds, as addition_embed_type is not set to text_time')
      return addition && context && (this.addEmbedding as Layer).forward(context.to(this.dtype))
    }
    if (!textEmbeds || !timeIds) return this.refuse('textEmbeds and timeIds, as addition_embed_type is text_time')
    const ids = timestepEmbedding(timeIds.reshape([-1]), addition.timeWidth, { flipSinToCos, freqShift })
    return (this.addEmbedding as Layer).forward(concat([textEmbeds.to('f32'), ids.reshape([batch, -1])], 1))
  }
}

function classEmbedding(init: Initialiser, c: ResolvedUNet2DConfig, waves: number): UNetInput['classEmbedding'] {
  const { classes, timeWidth, activation } = c
  if (!classes || classes.kind === 'identity') return undefined
  if (classes.kind === 'table') return Embedding.of(init, classes.rows, timeWidth)
  if (classes.kind === 'timestep') return new TimestepEmbedding(init, waves, timeWidth, { activation })
  if (classes.kind === 'projection') return new TimestepEmbedding(init, classes.inputs, timeWidth)
  return Linear.of(init, classes.inputs, timeWidth)
}

function addEmbedding(init: Initialiser, { addition, timeWidth }: ResolvedUNet2DConfig): UNetInput['addEmbedding'] {
  if (addition?.kind === 'text') return new TextTimeEmbedding(init, addition.width, timeWidth, addition.heads)
  return addition && new TimestepEmbedding(init, addition.inputs, timeWidth)
}
