import { ConfigError } from '@antipode/core'
import { atLeast, checkOptions, type Range, type Ranges, oneOf, whole } from '@antipode/core/options'
import { any, only } from '../config-ranges.ts'

/** Sizes that both towers of CLIP have, with the names of transformers' `config.json`. */
interface TowerConfig {
  readonly hidden_size?: number
  readonly intermediate_size?: number
  readonly num_hidden_layers?: number
  /** Must divide `hidden_size`. */
  readonly num_attention_heads?: number
  /** `quick_gelu` is x·σ(1.702·x), which CLIP was trained with; OpenCLIP's models have `gelu`. */
  readonly hidden_act?: 'quick_gelu' | 'gelu'
  readonly layer_norm_eps?: number
  /** Width of the space that both towers are projected to. */
  readonly projection_dim?: number
}

/**
 * Configuration of CLIP's text tower, with the names and defaults of transformers' `config.json`: a parsed file can be
 * passed as it is. A field that would change the result and is not listed must have the value that changes nothing; a
 * field that nobody knows is an error.
 */
export interface CLIPTextConfig extends TowerConfig {
  readonly vocab_size?: number
  readonly max_position_embeddings?: number
  readonly bos_token_id?: number
  /** Whose first place in a prompt is pooled; 2, as old files have it, stands for the largest id of the prompt. */
  readonly eos_token_id?: number
  readonly pad_token_id?: number
}

/** Configuration of CLIP's vision tower. */
export interface CLIPVisionConfig extends TowerConfig {
  /** Side of the images, in pixels. */
  readonly image_size?: number
  /** Side of a patch, in pixels. */
  readonly patch_size?: number
  readonly num_channels?: number
}

/** Sizes of a tower with the defaults filled in. */
export interface ResolvedTower {
  readonly width: number
  readonly inner: number
  readonly layers: number
  readonly heads: number
  readonly activation: 'quick_gelu' | 'gelu'
  readonly eps: number
  readonly projection: number
}

/** {@link CLIPTextConfig} with the defaults filled in. */
export interface ResolvedTextConfig extends ResolvedTower {
  readonly vocabulary: number
  readonly positions: number
  readonly endToken: number
}

/** {@link CLIPVisionConfig} with the defaults filled in. */
export interface ResolvedVisionConfig extends ResolvedTower {
  readonly side: number
  readonly patch: number
  readonly channels: number
}

const size = whole(1)

const tower: Ranges<TowerConfig> = {
  hidden_size: size, intermediate_size: size, num_hidden_layers: size, num_attention_heads: size,
  hidden_act: oneOf('quick_gelu', 'gelu'), layer_norm_eps: atLeast(0), projection_dim: size,
}
const text: Ranges<CLIPTextConfig> = {
  ...tower, vocab_size: size, max_position_embeddings: size, bos_token_id: whole(0), eos_token_id: whole(0),
  pad_token_id: whole(0),
}
const vision: Ranges<CLIPVisionConfig> = { ...tower, image_size: size, patch_size: size, num_channels: size }

/** Fields that only say where a file came from, how weights were drawn, or what a classifier or a generation would do. */
const inertNames = [
  '_name_or_path', 'architectures', 'transformers_version', 'torch_dtype', 'dtype', 'torchscript', 'use_bfloat16',
  'tf_legacy_loss', 'initializer_factor', 'initializer_range', 'output_attentions', 'output_hidden_states',
  'output_scores', 'return_dict', 'return_dict_in_generate', 'use_cache', 'chunk_size_feed_forward', 'tokenizer_class',
  'prefix', 'finetuning_task', 'task_specific_params', 'problem_type', 'id2label', 'label2id', 'is_encoder_decoder',
  'tie_encoder_decoder', 'tie_word_embeddings', 'cross_attention_hidden_size', 'decoder_start_token_id', 'sep_token_id',
  'forced_bos_token_id', 'forced_eos_token_id', 'suppress_tokens', 'begin_suppress_tokens', 'bad_words_ids',
  'max_length', 'min_length', 'do_sample', 'early_stopping', 'num_beams', 'num_beam_groups', 'num_return_sequences',
  'diversity_penalty', 'length_penalty', 'repetition_penalty', 'exponential_decay_length_penalty', 'temperature',
  'top_k', 'top_p', 'typical_p', 'no_repeat_ngram_size', 'encoder_no_repeat_ngram_size', 'remove_invalid_values',
]
const nothingPruned: Range = {
  expected: 'an empty object', accepts: (v) => typeof v === 'object' && v !== null && Object.keys(v).length === 0,
}
const inert: Readonly<Record<string, Range>> = {
  ...Object.fromEntries(inertNames.map((name) => [name, any])),
  attention_dropout: only(0), dropout: only(0), is_decoder: only(false), add_cross_attention: only(false),
  pruned_heads: nothingPruned,
}

function resolved(
  where: string,
  config: TowerConfig,
  defaults: Readonly<Record<'width' | 'inner' | 'heads', number>>,
): ResolvedTower {
  const width = config.hidden_size ?? defaults.width
  const heads = config.num_attention_heads ?? defaults.heads
  if (width % heads !== 0) {
    throw new ConfigError(`${where}: expected num_attention_heads that divides hidden_size, got ${heads} for ${width}`)
  }
  return {
    width, heads, inner: config.intermediate_size ?? defaults.inner, layers: config.num_hidden_layers ?? 12,
    activation: config.hidden_act ?? 'quick_gelu', eps: config.layer_norm_eps ?? 1e-5,
    projection: config.projection_dim ?? 512,
  }
}

/** @throws {ConfigError} that names the field */
export function resolveTextConfig(where: string, config: CLIPTextConfig): ResolvedTextConfig {
  checkOptions(where, config, { ...inert, model_type: only('clip_text_model'), ...text } as Ranges<CLIPTextConfig>)
  return {
    ...resolved(where, config, { width: 512, inner: 2048, heads: 8 }),
    vocabulary: config.vocab_size ?? 49_408, positions: config.max_position_embeddings ?? 77,
    endToken: config.eos_token_id ?? 49_407,
  }
}

/** @throws {ConfigError} that names the field */
export function resolveVisionConfig(where: string, config: CLIPVisionConfig): ResolvedVisionConfig {
  const ranges = { ...inert, model_type: only('clip_vision_model'), ...vision } as Ranges<CLIPVisionConfig>
  checkOptions(where, config, ranges)
  const side = config.image_size ?? 224
  const patch = config.patch_size ?? 32
  if (side % patch !== 0) {
    throw new ConfigError(`${where}: expected patch_size that divides image_size, got ${patch} for ${side}`)
  }
  return {
    ...resolved(where, config, { width: 768, inner: 3072, heads: 12 }),
    side, patch, channels: config.num_channels ?? 3,
  }
}
