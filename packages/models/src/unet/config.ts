import type { Activation } from '../layers/index.ts'

/** Blocks that go down in resolution. */
export type DownBlockType =
  | 'DownBlock2D' | 'AttnDownBlock2D' | 'CrossAttnDownBlock2D' | 'ResnetDownsampleBlock2D'
  | 'SimpleCrossAttnDownBlock2D'
/** Blocks that come back up. */
export type UpBlockType =
  | 'UpBlock2D' | 'AttnUpBlock2D' | 'CrossAttnUpBlock2D' | 'ResnetUpsampleBlock2D' | 'SimpleCrossAttnUpBlock2D'
/** What stands between the two. */
export type MidBlockType = 'UNetMidBlock2D' | 'UNetMidBlock2DCrossAttn' | 'UNetMidBlock2DSimpleCrossAttn'
/** What class labels are: see {@link UNet2DConfig.class_embed_type}. */
export type ClassEmbedType = 'timestep' | 'identity' | 'projection' | 'simple_projection'
/** A number for all layers of a block, or one for each. */
export type LayerCounts = number | readonly number[]

/**
 * Configuration of a `UNet2DConditionModel`, with the names and defaults of diffusers' `config.json`: a parsed file can
 * be passed as it is. Every field of diffusers is known: one that is not listed here must have the value that changes
 * nothing, or changes nothing in any case. A field that nobody knows is an error.
 */
export interface UNet2DConfig {
  /** Side of the images, or [height, width]: what {@link flopsPerImage} counts at. The model takes any size. */
  readonly sample_size?: number | readonly [number, number] | null
  /** 4 for latents, 9 for inpainting: latents, mask, and latents of the masked image. */
  readonly in_channels?: number
  readonly out_channels?: number
  /** Whether images come as numbers in [0, 1], and are taken to [−1, 1] first. Default false. */
  readonly center_input_sample?: boolean
  /** Sides of the first and last convolution: odd, 3 by default. */
  readonly conv_in_kernel?: number
  readonly conv_out_kernel?: number
  readonly block_out_channels?: readonly number[]
  /** Resnets of each block on the way down, one number for all or one for each; blocks on the way up have one more. */
  readonly layers_per_block?: number | readonly number[]
  readonly down_block_types?: readonly DownBlockType[]
  /** `UNetMidBlock2DCrossAttn` where it is left out; null for no block at all. */
  readonly mid_block_type?: MidBlockType | null
  readonly up_block_types?: readonly UpBlockType[]
  /** By what sums of the resnets in the middle, and in `Resnet…` and `Simple…` blocks, are divided; 1 by default. */
  readonly mid_block_scale_factor?: number
  readonly resnet_out_scale_factor?: number
  /** SiLU by default. */
  readonly act_fn?: Activation
  /** Whether the embedding of time is added in resnets, or scales and shifts; `default` is the former. */
  readonly resnet_time_scale_shift?: 'default' | 'scale_shift'
  /** Whether resnets of `Resnet…` and `Simple…` blocks take the embedding without an activation. Default false. */
  readonly resnet_skip_time_act?: boolean
  /** Must divide the channels of every block. */
  readonly norm_num_groups?: number
  /** 0 or more. */
  readonly norm_eps?: number
  /** 1, or 0 for zeros below and to the right only. */
  readonly downsample_padding?: number
  readonly cross_attention_dim?: number | readonly number[]
  /** Width of the context where that is another than `cross_attention_dim`, to which it is projected then. */
  readonly encoder_hid_dim?: number | null
  readonly encoder_hid_dim_type?: 'text_proj' | null
  /** Whether both attentions of a transformer block look at the context; default false. */
  readonly only_cross_attention?: boolean | readonly boolean[]
  /** The same for a `UNetMidBlock2DSimpleCrossAttn`; by default as above, where that is one for all. */
  readonly mid_block_only_cross_attention?: boolean | null
  /** Norm of the context in `SimpleCrossAttn…` blocks; null for none. */
  readonly cross_attention_norm?: 'layer_norm' | 'group_norm' | null
  /**
   * Number of heads in cross-attention blocks (a misnomer that checkpoints rely on), width of a head in `Attn…` and
   * `SimpleCrossAttn…` blocks. A list is in the order of the way down; the latter two take it from its start on the way
   * up too, as diffusers' do.
   */
  readonly attention_head_dim?: number | readonly number[]
  readonly num_attention_heads?: number | readonly number[] | null
  /** Transformer blocks of each attention: one number, one for each block, or a list of its layers for a block. */
  readonly transformer_layers_per_block?: number | readonly LayerCounts[]
  /** The same on the way up, in the order of that way; needed where a block has a list. */
  readonly reverse_transformer_layers_per_block?: readonly LayerCounts[] | null
  readonly use_linear_projection?: boolean
  /** Waves of time at fixed or at stored frequencies; `positional` by default. */
  readonly time_embedding_type?: 'positional' | 'fourier'
  /** Width of the embedding of time; by default four times the first channels, twice with `fourier`. */
  readonly time_embedding_dim?: number | null
  /** Behind the whole embedding; none by default. */
  readonly time_embedding_act_fn?: Activation | null
  /** Behind the second layer of time; none by default. */
  readonly timestep_post_act?: Activation | null
  /** Width of a condition of the timestep, such as LCM's embedding of the guidance scale; none by default. */
  readonly time_cond_proj_dim?: number | null
  readonly flip_sin_to_cos?: boolean
  readonly freq_shift?: number
  /** Rows of the class table; the last one stands for "no class". */
  readonly num_class_embeds?: number | null
  /**
   * Labels as something else than rows of the table: numbers embedded like timesteps, vectors as they are, or vectors
   * behind two layers or one.
   */
  readonly class_embed_type?: ClassEmbedType | null
  /** Whether the embedding of the class stands beside that of time, instead of being added to it. Default false. */
  readonly class_embeddings_concat?: boolean
  /** SDXL's pooled prompt and sizes, or the pooled tokens of the context. */
  readonly addition_embed_type?: 'text_time' | 'text' | null
  readonly addition_time_embed_dim?: number | null
  /** Heads of the pooling of `text`; 64 by default. */
  readonly addition_embed_type_num_heads?: number
  /** Width of SDXL's pooled prompt and embedded sizes together, or of class labels that are projected. */
  readonly projection_class_embeddings_input_dim?: number | null
  /** Self-attention in a `UNetMidBlock2D`, as diffusers' unconditional `UNet2DModel` has it. Default false. */
  readonly add_attention?: boolean
  /** Side of the pixel squares that become channels at the input and pixels again at the output. Ours; default 1. */
  readonly patch_size?: number
}

/** How class labels are embedded. */
export type ResolvedClass =
  | { readonly kind: 'table'; readonly rows: number }
  | { readonly kind: 'timestep' }
  | { readonly kind: 'identity' }
  | { readonly kind: 'projection'; readonly inputs: number }
  | { readonly kind: 'simple_projection'; readonly inputs: number }

/** What is added to the embedding of time and class. */
export type ResolvedAddition =
  | { readonly kind: 'text_time'; readonly timeWidth: number; readonly inputs: number }
  | { readonly kind: 'text'; readonly width: number; readonly heads: number }

/** A configuration with its defaults filled in and one entry per block where diffusers allows a single one. */
export interface ResolvedUNet2DConfig {
  readonly inChannels: number
  readonly outChannels: number
  readonly centred: boolean
  readonly kernelIn: number
  readonly kernelOut: number
  readonly channels: readonly number[]
  readonly layers: readonly number[]
  readonly downTypes: readonly DownBlockType[]
  readonly midType: MidBlockType | null
  readonly upTypes: readonly UpBlockType[]
  readonly groups: number
  readonly eps: number
  readonly activation: Activation
  readonly scaleShift: boolean
  readonly skipTimeActivation: boolean
  readonly midScale: number
  readonly resnetScale: number
  readonly downsamplePadding: number
  readonly contextWidths: readonly number[]
  /** Width of the context before it is projected; undefined where it is not. */
  readonly contextInputs: number | undefined
  readonly contextNorm: 'layer_norm' | 'group_norm' | undefined
  readonly onlyCross: readonly boolean[]
  readonly midOnlyCross: boolean
  readonly headWidths: readonly number[]
  readonly heads: readonly number[]
  readonly transformerLayers: readonly LayerCounts[]
  /** In the order of the way up. */
  readonly upTransformerLayers: readonly LayerCounts[]
  readonly linearProjection: boolean
  readonly fourier: boolean
  readonly flipSinToCos: boolean
  readonly freqShift: number
  /** Width of the embedding of time. */
  readonly timeWidth: number
  readonly timeActivation: Activation | undefined
  readonly timePostActivation: Activation | undefined
  readonly timeConditionWidth: number | undefined
  readonly classes: ResolvedClass | undefined
  readonly classConcat: boolean
  readonly addition: ResolvedAddition | undefined
  readonly midAttention: boolean
  readonly patch: number
}
