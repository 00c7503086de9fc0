/** Blocks that go down in resolution. */
export type DownBlockType = 'DownBlock2D' | 'AttnDownBlock2D' | 'CrossAttnDownBlock2D'
/** Blocks that come back up. */
export type UpBlockType = 'UpBlock2D' | 'AttnUpBlock2D' | 'CrossAttnUpBlock2D'
/** What stands between the two. */
export type MidBlockType = 'UNetMidBlock2D' | 'UNetMidBlock2DCrossAttn'

/**
 * Configuration of a `UNet2DConditionModel`, with the names and defaults of diffusers' `config.json`: a parsed file can be
 * passed as it is. Every field of diffusers is known: one that is not listed here must have the value that changes nothing, or
 * changes nothing in any case. A field that nobody knows is an error.
 */
export interface UNet2DConfig {
  /** Side of the images, or [height, width]: what {@link flopsPerImage} counts at. The model takes any size. */
  readonly sample_size?: number | readonly [number, number] | null
  readonly in_channels?: number
  readonly out_channels?: number
  readonly block_out_channels?: readonly number[]
  /** Resnets of each block on the way down, one number for all or one for each; blocks on the way up have one more. */
  readonly layers_per_block?: number | readonly number[]
  readonly down_block_types?: readonly DownBlockType[]
  /** `UNetMidBlock2DCrossAttn` where it is left out; null for no block at all. */
  readonly mid_block_type?: MidBlockType | null
  readonly up_block_types?: readonly UpBlockType[]
  /** Must divide the channels of every block. */
  readonly norm_num_groups?: number
  /** 0 or more. */
  readonly norm_eps?: number
  /** 1, or 0 for zeros below and to the right only. */
  readonly downsample_padding?: number
  readonly cross_attention_dim?: number | readonly number[]
  /**
   * Number of heads in cross-attention blocks (a misnomer that checkpoints rely on), width of a head in `Attn…` blocks. A list is
   * in the order of the way down; `Attn…` blocks on the way up take it from its start too, as diffusers' do.
   */
  readonly attention_head_dim?: number | readonly number[]
  readonly num_attention_heads?: number | readonly number[] | null
  readonly transformer_layers_per_block?: number | readonly number[]
  readonly use_linear_projection?: boolean
  readonly flip_sin_to_cos?: boolean
  readonly freq_shift?: number
  /** Rows of the class table; the last one stands for "no class". */
  readonly num_class_embeds?: number | null
  readonly addition_embed_type?: 'text_time' | null
  readonly addition_time_embed_dim?: number | null
  readonly projection_class_embeddings_input_dim?: number | null
  /** Self-attention in a `UNetMidBlock2D`, as diffusers' unconditional `UNet2DModel` has it. Default false. */
  readonly add_attention?: boolean
  /** Side of the pixel squares that become channels at the input and pixels again at the output. Ours alone; default 1. */
  readonly patch_size?: number
}

/** A configuration with its defaults filled in and one entry per block where diffusers allows a single one. */
export interface ResolvedUNet2DConfig {
  readonly inChannels: number
  readonly outChannels: number
  readonly channels: readonly number[]
  readonly layers: readonly number[]
  readonly downTypes: readonly DownBlockType[]
  readonly midType: MidBlockType | null
  readonly upTypes: readonly UpBlockType[]
  readonly groups: number
  readonly eps: number
  readonly downsamplePadding: number
  readonly contextWidths: readonly number[]
  readonly headWidths: readonly number[]
  readonly heads: readonly number[]
  readonly transformerLayers: readonly number[]
  readonly linearProjection: boolean
  readonly flipSinToCos: boolean
  readonly freqShift: number
  readonly classes: number | undefined
  readonly addition: { readonly timeWidth: number; readonly inputs: number } | undefined
  readonly midAttention: boolean
  readonly patch: number
}
