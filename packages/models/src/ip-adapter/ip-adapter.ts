import { type Backend, CheckpointError, type DType, scaledDotProductAttention, type Tensor, zeros } from '@antipode/core'
import { readRanges, type ReadSafetensorsOptions, readTensors, type SafetensorsSource } from '@antipode/core/io'
import { Adaptable, type Initialiser, LayerNorm, Linear, Module, MultiHeadAttention, placeholders, stateOf } from '@antipode/core/nn'
import { checkOptions, oneOf } from '@antipode/core/options'
import { rename } from '../keymaps/index.ts'
import { type Wrapper, type Wrappers } from '../layers/index.ts'
import type { UNet2DConditionModel } from '../unet/index.ts'
import { type Sizes, sizesOf } from './sizes.ts'

/** Keys and values for tokens of an image, beside one cross-attention. */
class ImageAttention extends Module {
  readonly toKIp: Linear
  readonly toVIp: Linear

  constructor(init: Initialiser, inputs: number, outputs: number) {
    super()
    this.toKIp = Linear.of(init, inputs, outputs, { bias: false })
    this.toVIp = Linear.of(init, inputs, outputs, { bias: false })
  }
}

/** What an image's embedding is for the UNet: `[B, embedding] -> [B, tokens, width]`. */
class ImageProjection extends Module {
  readonly proj: Linear
  readonly norm: LayerNorm
  readonly #tokens: number

  constructor(init: Initialiser, { embedding, tokens, width }: Sizes) {
    super()
    this.proj = Linear.of(init, embedding, tokens * width)
    this.norm = LayerNorm.of(init, width)
    this.#tokens = tokens
  }

  forward(embeds: Tensor): Tensor {
    const [batch = 1] = embeds.shape
    return this.norm.forward(this.proj.forward(embeds).reshape([batch, this.#tokens, -1]))
  }
}

/**
 * An image as a prompt: a few tokens of its CLIP embedding, to which each cross-attention of a UNet looks by keys and
 * values of their own: `out(attend(q, text) + scale·attend(q, image))`.
 * Source: Ye et al. 2023, arXiv 2308.06721; diffusers' `IPAdapterAttnProcessor`.
 */
export class IPAdapter extends Module {
  readonly imageProj: ImageProjection
  /** In the order of diffusers' attention processors: on the way down, on the way up, in the middle. */
  readonly layers: readonly ImageAttention[]
  readonly sizes: Sizes

  constructor(init: Initialiser, sizes: Sizes) {
    super()
    this.sizes = sizes
    this.imageProj = new ImageProjection(init, sizes)
    this.layers = sizes.layers.map((outputs) => new ImageAttention(init, sizes.width, outputs))
  }

  /** Embeddings of images, `[B, embedding]`, as CLIP's vision tower projects them -> tokens `[B, tokens, width]`. */
  tokens(embeds: Tensor): Tensor {
    return this.imageProj.forward(embeds.to(this.dtype))
  }

  /**
   * What stands around the cross-attentions of a UNet, this very one, so that they look at an image too.
   * @param tokens `[B, tokens, width]`, a row for each of the UNet's
   * @throws {CheckpointError} if the adapter is for another UNet
   */
  wrappers(unet: UNet2DConditionModel, tokens: Tensor, scale: number): Wrappers {
    const attentions = crossAttentions(unet)
    this.checkFits(unet)
    return new Map(attentions.map((attention, k) => [attention, looking(attention, this.layers[k]!, tokens, scale)]))
  }

  /** @throws {CheckpointError} if the adapter is for another UNet */
  checkFits(unet: UNet2DConditionModel): void {
    const own = crossAttentions(unet).map(({ toQ }) => (toQ instanceof Adaptable ? toQ.weightShape[0] : undefined))
    const { layers, width } = this.sizes
    const context = [unet.config.cross_attention_dim ?? 1280].flat()[0]
    if (own.join() === layers.join() && width === context) return
    throw new CheckpointError(
      `IPAdapter: expected an adapter of ${own.length} cross-attentions for tokens of width ${context}, as the UNet has, ` +
        `got one of ${layers.length} for width ${width}; load one for this family of models`,
    )
  }
}

/** The cross-attentions of a UNet, in the order of {@link IPAdapter.layers}. */
function crossAttentions(unet: UNet2DConditionModel): MultiHeadAttention[] {
  const named = [...unet.namedModules()].filter(([name]) => name.endsWith('.attn2'))
  return ['down_blocks.', 'up_blocks.', 'mid_block.'].flatMap((way) =>
    named.flatMap(([name, layer]) => (name.startsWith(way) && layer instanceof MultiHeadAttention ? [layer] : [])))
}

function looking(attention: MultiHeadAttention, layer: ImageAttention, tokens: Tensor, scale: number): Wrapper {
  const split = (t: Tensor): Tensor => t.reshape([...t.shape.slice(0, -1), attention.heads, -1]) // b n (h d) -> b n h d
  return (run, inputs) => {
    const [x] = inputs as [Tensor] // what asks is the first
    const own = tokens.to(x.dtype)
    const [keys, values] = [split(layer.toKIp.forward(own)), split(layer.toVIp.forward(own))]
    const seen = scaledDotProductAttention(split(attention.toQ.forward(x)), keys, values, { layout: 'BNHD' })
    const [out] = attention.toOut
    const added = out.forward(seen.reshape([...x.shape.slice(0, -1), -1]).mul(scale))
    // The sum goes through one layer, whose bias counts once.
    const bias = out.forward(zeros(x.device, [1, 1, layer.toKIp.weightShape[0] ?? 1], { dtype: x.dtype }))
    return run(...inputs).add(added.sub(bias))
  }
}

/** Options of {@link loadIPAdapter}, beside those of reading the file. */
export interface LoadIPAdapterOptions extends ReadSafetensorsOptions {
  /** Element type of its weights: f32, the default, f16 or bf16. */
  readonly dtype?: DType
}

/**
 * An IP-Adapter from a file of its authors, such as `ip-adapter_sd15.safetensors` (h94/IP-Adapter), of safetensors or
 * torch. Those that look at all patches of an image (plus, full face) or at faces are refused by name.
 * @throws {CheckpointError} if it is no such file @throws {ConfigError} on an option that is unknown or out of its range
 */
export async function loadIPAdapter(
  device: Backend,
  source: SafetensorsSource,
  options: LoadIPAdapterOptions = {},
): Promise<IPAdapter> {
  checkOptions('loadIPAdapter', options, { ...readRanges, dtype: oneOf('f32', 'f16', 'bf16') })
  const { dtype = 'f32', ...read } = options
  await using file = await readTensors(source, read)
  const state = stateOf(file)
  const model = new IPAdapter(placeholders(device, { dtype }), sizesOf(state))
  // Authors count all attentions, of which every second is a cross-attention.
  await model.load(rename(state, (name) => name.replace(/^ip_adapter\.(\d+)\./, (_, n) => `layers.${(Number(n) - 1) / 2}.`)))
  return model
}
