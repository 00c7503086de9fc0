import { ConfigError } from '@antipode/core'
import { checkFields } from './config-fields.ts'
import type { ResolvedUNet2DConfig, UNet2DConfig } from './config.ts'

/** Fills in defaults and checks that every field means something here. @throws {ConfigError} that names the field */
export function resolveUNet2DConfig(config: UNet2DConfig): ResolvedUNet2DConfig {
  checkFields(config)
  const channels = config.block_out_channels ?? [320, 640, 1280, 1280]
  const count = channels.length
  const checkCount = (field: string, list: readonly unknown[]): void => {
    if (list.length !== count) throw new ConfigError(`UNet2DConditionModel: expected ${count} entries in ${field}, got ${list.length}`)
  }
  const perBlock = (field: string, value: number | readonly number[]): readonly number[] => {
    const list = typeof value === 'number' ? channels.map(() => value) : value
    checkCount(field, list)
    return list
  }
  const downTypes = config.down_block_types ?? ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D']
  const upTypes = config.up_block_types ?? ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D']
  checkCount('down_block_types', downTypes)
  checkCount('up_block_types', upTypes)
  const groups = config.norm_num_groups ?? 32
  const odd = channels.find((c) => c % groups !== 0)
  if (odd !== undefined) throw new ConfigError(`UNet2DConditionModel: expected norm_num_groups that divides block_out_channels, got ${groups} for ${odd}`)
  const headWidths = perBlock('attention_head_dim', config.attention_head_dim ?? 8)
  const { addition_time_embed_dim: timeWidth, projection_class_embeddings_input_dim: inputs } = config
  if (config.addition_embed_type && !(timeWidth && inputs)) {
    throw new ConfigError('UNet2DConditionModel: expected addition_time_embed_dim and projection_class_embeddings_input_dim with addition_embed_type')
  }
  const resolved: ResolvedUNet2DConfig = {
    inChannels: config.in_channels ?? 4,
    outChannels: config.out_channels ?? 4,
    channels,
    layers: perBlock('layers_per_block', config.layers_per_block ?? 2),
    downTypes,
    midType: config.mid_block_type === undefined ? 'UNetMidBlock2DCrossAttn' : config.mid_block_type,
    upTypes,
    groups,
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
  checkHeads(resolved)
  return resolved
}

/** Attention cuts channels into heads without a rest. @throws {ConfigError} */
function checkHeads({ channels, downTypes, midType, upTypes, heads, headWidths, midAttention }: ResolvedUNet2DConfig): void {
  const last = channels.length - 1
  const check = (type: string, block: number, own: number): void => {
    const field = type.includes('CrossAttn') ? 'heads' : type.startsWith('Attn') ? 'widths of heads' : undefined
    const parts = (field === 'heads' ? heads[block] : headWidths[own]) ?? 1
    if (field && (channels[block] ?? 0) % parts !== 0) {
      throw new ConfigError(`UNet2DConditionModel: expected ${field} in attention_head_dim that divide the channels of ${type}, got ${parts} for ${channels[block]}`)
    }
  }
  downTypes.forEach((type, i) => { check(type, i, i) })
  upTypes.forEach((type, k) => { check(type, last - k, k) })
  check(midType === 'UNetMidBlock2D' && midAttention ? 'AttnMidBlock2D' : midType ?? '', last, last)
}
