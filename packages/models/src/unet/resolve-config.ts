import { ConfigError } from '@antipode/core'
import { checkFields } from './config-fields.ts'
import type { LayerCounts, ResolvedAddition, ResolvedClass, ResolvedUNet2DConfig, UNet2DConfig } from './config.ts'

/** Refuses a configuration. @throws {ConfigError} that begins with the class that it is of */
type Refuse = (expected: string) => never

/** Fills in defaults and checks that every field means something here. @throws {ConfigError} that names the field */
export function resolveUNet2DConfig(config: UNet2DConfig): ResolvedUNet2DConfig {
  checkFields(config)
  return resolveFields('UNet2DConditionModel', config)
}

/** The same of fields that were checked. @param where the class that they are of */
export function resolveFields(where: string, config: UNet2DConfig): ResolvedUNet2DConfig {
  const refuse: Refuse = (expected) => {
    throw new ConfigError(`${where}: expected ${expected}`)
  }
  const channels = config.block_out_channels ?? [320, 640, 1280, 1280]
  const count = channels.length
  const checkCount = (field: string, list: readonly unknown[]): void => {
    if (list.length !== count) refuse(`${count} entries in ${field}, got ${list.length}`)
  }
  const perBlock = <T>(field: string, value: T | readonly T[]): readonly T[] => {
    const list = Array.isArray(value) ? value as readonly T[] : channels.map(() => value as T)
    checkCount(field, list)
    return list
  }
  const downTypes = config.down_block_types ??
    ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D']
  const upTypes = config.up_block_types ??
    ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D']
  checkCount('down_block_types', downTypes)
  checkCount('up_block_types', upTypes)
  const groups = config.norm_num_groups ?? 32
  const odd = channels.find((c) => c % groups !== 0)
  if (odd !== undefined) refuse(`norm_num_groups that divides block_out_channels, got ${groups} for ${odd}`)
  const layers = perBlock('layers_per_block', config.layers_per_block ?? 2)
  const headWidths = perBlock('attention_head_dim', config.attention_head_dim ?? 8)
  const { only_cross_attention: onlyCross = false, mid_block_only_cross_attention: midOnlyCross } = config
  const fourier = config.time_embedding_type === 'fourier'
  const resolved: ResolvedUNet2DConfig = {
    inChannels: config.in_channels ?? 4,
    outChannels: config.out_channels ?? 4,
    centred: config.center_input_sample ?? false,
    kernelIn: config.conv_in_kernel ?? 3,
    kernelOut: config.conv_out_kernel ?? 3,
    channels,
    layers,
    downTypes,
    midType: config.mid_block_type === undefined ? 'UNetMidBlock2DCrossAttn' : config.mid_block_type,
    upTypes,
    groups,
    eps: config.norm_eps ?? 1e-5,
    activation: config.act_fn ?? 'silu',
    scaleShift: config.resnet_time_scale_shift === 'scale_shift',
    skipTimeActivation: config.resnet_skip_time_act ?? false,
    midScale: config.mid_block_scale_factor ?? 1,
    resnetScale: config.resnet_out_scale_factor ?? 1,
    downsamplePadding: config.downsample_padding ?? 1,
    contextWidths: perBlock('cross_attention_dim', config.cross_attention_dim ?? 1280),
    contextInputs: config.encoder_hid_dim ?? undefined,
    contextNorm: config.cross_attention_norm ?? undefined,
    onlyCross: perBlock('only_cross_attention', onlyCross),
    midOnlyCross: midOnlyCross ?? onlyCross === true,
    headWidths,
    heads: config.num_attention_heads ? perBlock('num_attention_heads', config.num_attention_heads) : headWidths,
    ...transformers(config, perBlock, layers, refuse),
    linearProjection: config.use_linear_projection ?? false,
    fourier,
    flipSinToCos: config.flip_sin_to_cos ?? true,
    freqShift: config.freq_shift ?? 0,
    timeWidth: config.time_embedding_dim ?? (channels[0] ?? 0) * (fourier ? 2 : 4),
    timeActivation: config.time_embedding_act_fn ?? undefined,
    timePostActivation: config.timestep_post_act ?? undefined,
    timeConditionWidth: config.time_cond_proj_dim ?? undefined,
    classes: classesOf(config, refuse),
    classConcat: config.class_embeddings_concat ?? false,
    addition: additionOf(config, refuse),
    midAttention: config.add_attention ?? false,
    patch: config.patch_size ?? 1,
  }
  if (resolved.classConcat && !resolved.classes) {
    refuse('class_embed_type or num_class_embeds with class_embeddings_concat, got neither')
  }
  if (config.encoder_hid_dim_type && !config.encoder_hid_dim) {
    refuse('encoder_hid_dim with encoder_hid_dim_type, got none')
  }
  if (resolved.contextInputs && Array.isArray(config.cross_attention_dim)) {
    refuse('one cross_attention_dim for all blocks with encoder_hid_dim, got a list')
  }
  checkHeads(resolved, refuse)
  return resolved
}

/** Transformer blocks of each attention, down and up. @throws {ConfigError} if a list has no number for some layer */
function transformers(
  { transformer_layers_per_block: down = 1, reverse_transformer_layers_per_block: up }: UNet2DConfig,
  perBlock: (field: string, value: LayerCounts | readonly LayerCounts[]) => readonly LayerCounts[],
  layers: readonly number[],
  refuse: Refuse,
): { transformerLayers: readonly LayerCounts[]; upTransformerLayers: readonly LayerCounts[] } {
  const field = 'transformer_layers_per_block'
  const transformerLayers = perBlock(field, down)
  if (!up && transformerLayers.some((n) => typeof n !== 'number')) {
    refuse(`${field} to be numbers of blocks where there is no reverse_${field}, got lists of layers`)
  }
  const upTransformerLayers = up ? perBlock(`reverse_${field}`, up) : transformerLayers.toReversed()
  const check = (name: string, counts: LayerCounts | undefined, least: number): void => {
    if (typeof counts === 'object' && counts.length < least) {
      refuse(`${least} numbers in each list of ${name}, one for each layer, got ${counts.length}`)
    }
  }
  layers.forEach((n, i) => {
    check(field, transformerLayers[i], n)
    check(`reverse_${field}`, upTransformerLayers[layers.length - 1 - i], n + 1)
  })
  return { transformerLayers, upTransformerLayers }
}

function classesOf(config: UNet2DConfig, refuse: Refuse): ResolvedClass | undefined {
  const { class_embed_type: kind, num_class_embeds: rows, projection_class_embeddings_input_dim: inputs } = config
  if (!kind) return rows ? { kind: 'table', rows } : undefined
  if (kind === 'timestep' || kind === 'identity') return { kind }
  if (!inputs) refuse(`projection_class_embeddings_input_dim with class_embed_type ${kind}, got none`)
  return { kind, inputs }
}

function additionOf(config: UNet2DConfig, refuse: Refuse): ResolvedAddition | undefined {
  const { addition_embed_type: kind, addition_embed_type_num_heads: heads = 64 } = config
  const { addition_time_embed_dim: timeWidth, projection_class_embeddings_input_dim: inputs } = config
  if (!kind) return undefined
  if (kind === 'text_time') {
    return timeWidth && inputs ? { kind, timeWidth, inputs } : refuse(
      'addition_time_embed_dim and projection_class_embeddings_input_dim with addition_embed_type text_time',
    )
  }
  const width = config.encoder_hid_dim ?? config.cross_attention_dim ?? 1280
  if (typeof width !== 'number') {
    refuse('one cross_attention_dim for all blocks with addition_embed_type text, got a list')
  }
  if (width % heads !== 0) refuse(`addition_embed_type_num_heads that divides the context, got ${heads} for ${width}`)
  return { kind, width, heads }
}

/**
 * Attention cuts channels into heads without a rest, and norms what it looks at as wide as it is.
 * @throws {ConfigError} that names the field
 */
function checkHeads(c: ResolvedUNet2DConfig, refuse: Refuse): void {
  const last = c.channels.length - 1
  const check = (type: string, block: number, own: number): void => {
    if (!type.includes('Attn')) return
    const simple = type.includes('Simple')
    const cross = type.includes('CrossAttn') && !simple
    const [channels = 0, context = 0] = [c.channels[block], c.contextWidths[block]]
    const parts = (cross ? c.heads[block] : c.headWidths[own]) ?? 1
    if (channels % parts !== 0) {
      const field = cross ? 'heads' : 'widths of heads'
      refuse(`${field} in attention_head_dim that divide the channels of ${type}, got ${parts} for ${channels}`)
    }
    if (simple && c.contextNorm === 'group_norm' && context % 32 !== 0) {
      refuse(`cross_attention_dim that 32 divides with cross_attention_norm group_norm, got ${context}`)
    }
    if (simple && c.contextNorm === 'layer_norm' && context !== channels) {
      refuse(
        `cross_attention_dim of ${channels}, the channels of ${type}, with cross_attention_norm layer_norm, got ${context}`,
      )
    }
  }
  c.downTypes.forEach((type, i) => { check(type, i, i) })
  c.upTypes.forEach((type, k) => { check(type, last - k, k) })
  check(c.midType === 'UNetMidBlock2D' && c.midAttention ? 'AttnMidBlock2D' : c.midType ?? '', last, last)
}
