import type { StateSource } from '@antipode/core/nn'
import type { AutoencoderKLConfig } from '../autoencoder/index.ts'
import type { CLIPTextConfig } from '../clip/index.ts'
import type { UNet2DConfig } from '../unet/index.ts'

// Configurations as far as shapes tell them, of models with the names of diffusers and transformers.

/** Sizes of a tensor, as zeros where there is none of that name. */
class Shapes {
  readonly #source: StateSource
  readonly #names: readonly string[]

  constructor(source: StateSource) {
    this.#source = source
    this.#names = [...source.names()]
  }

  size(name: string, axis: number): number {
    return this.#source.info(name)?.shape[axis] ?? 0
  }

  rank(name: string): number | undefined {
    return this.#source.info(name)?.shape.length
  }

  has(prefix: string): boolean {
    return this.#names.some((name) => name.startsWith(prefix))
  }

  /** How many of a numbered list there are. @param prefix what stands before the number */
  count(prefix: string): number {
    const tails = this.#names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
    const numbers = tails.map((tail) => Number.parseInt(tail, 10))
    return 1 + Math.max(-1, ...numbers.filter((n) => n >= 0))
  }

  find(pattern: RegExp): string {
    return this.#names.find((name) => pattern.test(name)) ?? ''
  }
}

/** Width of a head in the models whose attention begins with matrices, and in every text tower. */
const headWidth = 64
/** Heads of the models whose attention begins with 1×1 convolutions: Stable Diffusion 1. */
const earlyHeads = 8

const indices = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** All but the number of heads stands in shapes; that goes by families. */
export function unetConfigOf(source: StateSource): UNet2DConfig {
  const shapes = new Shapes(source)
  const blocks = indices(shapes.count('down_blocks.'))
  const channels = blocks.map((i) => shapes.size(`down_blocks.${i}.resnets.0.conv1.weight`, 0))
  const attends = (way: 'down' | 'up', i: number): boolean => shapes.has(`${way}_blocks.${i}.attentions.`)
  const depthOf = (block: string): number => Math.max(1, shapes.count(`${block}.attentions.0.transformer_blocks.`))
  // The middle takes the depth of the last block, which may have no attention itself.
  const depths = blocks.map((i) => depthOf(i === blocks.length - 1 ? 'mid_block' : `down_blocks.${i}`))
  const linear = shapes.rank(shapes.find(/\.proj_in\.weight$/)) === 2
  return {
    in_channels: shapes.size('conv_in.weight', 1),
    out_channels: shapes.size('conv_out.weight', 0),
    block_out_channels: channels,
    layers_per_block: shapes.count('down_blocks.0.resnets.'),
    down_block_types: blocks.map((i) => (attends('down', i) ? 'CrossAttnDownBlock2D' : 'DownBlock2D')),
    up_block_types: blocks.map((i) => (attends('up', i) ? 'CrossAttnUpBlock2D' : 'UpBlock2D')),
    transformer_layers_per_block: new Set(depths).size === 1 ? depths[0]! : depths,
    cross_attention_dim: shapes.size(shapes.find(/\.attn2\.to_k\.weight$/), 1),
    attention_head_dim: linear ? channels.map((c) => Math.max(1, Math.floor(c / headWidth))) : earlyHeads,
    use_linear_projection: linear,
  }
}

/** @throws nothing: what a file lacks is 0 here, and refused by the model */
export function vaeConfigOf(source: StateSource): AutoencoderKLConfig {
  const shapes = new Shapes(source)
  const blocks = indices(shapes.count('encoder.down_blocks.'))
  return {
    in_channels: shapes.size('encoder.conv_in.weight', 1),
    out_channels: shapes.size('decoder.conv_out.weight', 0),
    latent_channels: shapes.size('decoder.conv_in.weight', 1),
    block_out_channels: blocks.map((i) => shapes.size(`encoder.down_blocks.${i}.resnets.0.conv1.weight`, 0)),
    layers_per_block: shapes.count('encoder.down_blocks.0.resnets.'),
    down_block_types: blocks.map(() => 'DownEncoderBlock2D'),
    up_block_types: blocks.map(() => 'UpDecoderBlock2D'),
    use_quant_conv: shapes.has('quant_conv.'),
    use_post_quant_conv: shapes.has('post_quant_conv.'),
    mid_block_add_attention: shapes.has('encoder.mid_block.attentions.'),
  }
}

/** Sizes of a text tower. */
export function textConfigOf(source: StateSource): CLIPTextConfig {
  const shapes = new Shapes(source)
  const tokens = 'text_model.embeddings.token_embedding.weight'
  const width = shapes.size(tokens, 1)
  return {
    vocab_size: shapes.size(tokens, 0),
    hidden_size: width,
    intermediate_size: shapes.size('text_model.encoder.layers.0.mlp.fc1.weight', 0),
    num_hidden_layers: shapes.count('text_model.encoder.layers.'),
    num_attention_heads: Math.max(1, Math.floor(width / headWidth)),
    max_position_embeddings: shapes.size('text_model.embeddings.position_embedding.weight', 0),
    ...(shapes.has('text_projection.') ? { projection_dim: shapes.size('text_projection.weight', 0) } : {}),
  }
}

/** What the embedding of sizes and pooled texts takes; 0 without one. */
export const additionInputs = (source: StateSource): number =>
  new Shapes(source).size('add_embedding.linear_1.weight', 1)
