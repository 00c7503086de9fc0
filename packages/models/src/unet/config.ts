import { ConfigError } from '@antipode/core'

/** Blocks that go down in resolution. */
export type DownBlockType = 'DownBlock2D' | 'AttnDownBlock2D' | 'CrossAttnDownBlock2D'
/** Blocks that come back up. */
export type UpBlockType = 'UpBlock2D' | 'AttnUpBlock2D' | 'CrossAttnUpBlock2D'
/** What stands between the two. */
export type MidBlockType = 'UNetMidBlock2D' | 'UNetMidBlock2DCrossAttn'

/**
 * Configuration of a `UNet2DConditionModel`, with the names and defaults of diffusers' `config.json`: a parsed file can be
 * passed as it is. Fields that are not listed must have the value that changes nothing.
 */
export interface UNet2DConfig {
  readonly sample_size?: number | null
  readonly in_channels?: number
  readonly out_channels?: number
  readonly block_out_channels?: readonly number[]
  readonly layers_per_block?: number
  readonly down_block_types?: readonly DownBlockType[]
  readonly mid_block_type?: MidBlockType | null
  readonly up_block_types?: readonly UpBlockType[]
  readonly norm_num_groups?: number
  readonly norm_eps?: number
  readonly downsample_padding?: number
  readonly cross_attention_dim?: number | readonly number[]
  /** Number of heads in cross-attention blocks (a misnomer that checkpoints rely on), width of a head in `Attn…` blocks. */
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
  readonly layers: number
  readonly downTypes: readonly DownBlockType[]
  readonly midType: MidBlockType
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

/** Values of fields that other diffusers models use and this one does not know; anything else would change the result. */
const neutral: Readonly<Record<string, readonly unknown[]>> = {
  act_fn: ['silu', 'swish'], time_embedding_type: ['positional'], resnet_time_scale_shift: ['default'], class_embed_type: [null],
  encoder_hid_dim_type: [null], encoder_hid_dim: [null], center_input_sample: [false], dual_cross_attention: [false],
  only_cross_attention: [false], mid_block_only_cross_attention: [null, false], cross_attention_norm: [null],
  class_embeddings_concat: [false], time_embedding_act_fn: [null], timestep_post_act: [null], time_cond_proj_dim: [null],
  time_embedding_dim: [null], addition_embed_type: [null, 'text_time'], resnet_skip_time_act: [false], resnet_out_scale_factor: [1],
  mid_block_scale_factor: [1], conv_in_kernel: [3], conv_out_kernel: [3], attention_type: ['default'], reverse_transformer_layers_per_block: [null],
}

/** Fills in defaults and checks that every field means something here. @throws {ConfigError} that names the field */
export function resolveUNet2DConfig(config: UNet2DConfig): ResolvedUNet2DConfig {
  for (const [field, allowed] of Object.entries(neutral)) {
    const value = (config as Readonly<Record<string, unknown>>)[field]
    if (value !== undefined && !allowed.includes(value)) {
      throw new ConfigError(`UNet2DConditionModel: expected ${field} to be ${allowed.join(' or ')}, got ${JSON.stringify(value)}`)
    }
  }
  const channels = config.block_out_channels ?? [320, 640, 1280, 1280]
  const count = channels.length
  const downTypes = config.down_block_types ?? ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D']
  const upTypes = config.up_block_types ?? ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D']
  const perBlock = (field: string, value: number | readonly number[]): readonly number[] => {
    const list = typeof value === 'number' ? channels.map(() => value) : value
    if (list.length !== count) throw new ConfigError(`UNet2DConditionModel: expected ${count} entries in ${field}, got ${list.length}`)
    return list
  }
  for (const [field, list] of [['down_block_types', downTypes], ['up_block_types', upTypes]] as const) {
    if (list.length !== count) throw new ConfigError(`UNet2DConditionModel: expected ${count} entries in ${field}, got ${list.length}`)
  }
  expectKnown('down_block_types', downTypes, ['DownBlock2D', 'AttnDownBlock2D', 'CrossAttnDownBlock2D'])
  expectKnown('up_block_types', upTypes, ['UpBlock2D', 'AttnUpBlock2D', 'CrossAttnUpBlock2D'])
  const midType = config.mid_block_type ?? 'UNetMidBlock2DCrossAttn'
  expectKnown('mid_block_type', [midType], ['UNetMidBlock2D', 'UNetMidBlock2DCrossAttn'])
  const headWidths = perBlock('attention_head_dim', config.attention_head_dim ?? 8)
  const { addition_time_embed_dim: timeWidth, projection_class_embeddings_input_dim: inputs } = config
  if (config.addition_embed_type && !(timeWidth && inputs)) {
    throw new ConfigError('UNet2DConditionModel: expected addition_time_embed_dim and projection_class_embeddings_input_dim with addition_embed_type')
  }
  return {
    inChannels: config.in_channels ?? 4,
    outChannels: config.out_channels ?? 4,
    channels,
    layers: config.layers_per_block ?? 2,
    downTypes,
    midType,
    upTypes,
    groups: config.norm_num_groups ?? 32,
    eps: config.norm_eps ?? 1e-5,
    downsamplePadding: config.downsample_padding ?? 1,
    contextWidths: perBlock('cross_attention_dim', config.cross_attention_dim ?? 1280),
    headWidths,
    heads: config.num_attention_heads ? perBlock('num_attention_heads', config.num_attention_heads) : headWidths,
    transformerLayers: perBlock('transformer_layers_per_block', config.transformer_layers_per_block ?? 1),
    linearProjection: config.use_linear_projection ?? false,
    flipSinToCos: config.flip_sin_to_cos ?? true,
    freqShift: config.freq_shift ?? 0,
    classes: config.num_class_embeds ?? undefined,
    addition: config.addition_embed_type && timeWidth && inputs ? { timeWidth, inputs } : undefined,
    midAttention: config.add_attention ?? false,
    patch: config.patch_size ?? 1,
  }
}

function expectKnown(field: string, got: readonly string[], known: readonly string[]): void {
  const stranger = got.find((type) => !known.includes(type))
  if (stranger !== undefined) throw new ConfigError(`UNet2DConditionModel: expected ${field} among ${known.join(', ')}, got ${stranger}`)
}
