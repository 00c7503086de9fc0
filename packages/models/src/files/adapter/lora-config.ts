import { CheckpointError } from '@antipode/core'
import { finite, flag, oneOf, type Range, required, show, whole } from '@antipode/core/options'
import { endPattern, layerPattern, patternOf } from './layer-pattern.ts'

/** A layer that has a pair: its name in the model, its name for whoever wrote the file, and the rank of its tensors. */
export interface RankedLayer {
  readonly layer: string
  readonly called: string
  readonly rank: number
}

/** What a file says of an adapter's strength: the alpha of a layer, which is multiplied by alpha / rank at weight 1. */
export type AlphaRule = (layer: RankedLayer) => number

/** Fields of PEFT's `LoraConfig` that do not change what a trained adapter computes, and why. */
const inert: Readonly<Record<string, string>> = {
  target_modules: 'the tensors tell which layers have a pair', exclude_modules: 'as target_modules', layers_to_transform: 'as target_modules',
  layers_pattern: 'as target_modules', lora_dropout: 'in training only', inference_mode: 'whether PEFT trains it', task_type: 'of language models',
  base_model_name_or_path: 'a name', revision: 'a name', auto_mapping: 'names of classes', peft_version: 'a version', loftq_config: 'init_lora_weights decides',
  eva_config: 'init_lora_weights decides', corda_config: 'init_lora_weights decides', lora_ga_config: 'init_lora_weights decides', velora_config: 'how gradients are kept in training',
  megatron_core: 'megatron_config decides', qalora_group_size: 'use_qalora decides', ensure_weight_tying: 'which layers PEFT ties when it makes them',
}

/** How A and B began, where the base stays as it is; the others take a part out of its weights, which the file does not hold. */
const plainStarts: readonly unknown[] = [true, false, 'gaussian', 'eva', 'orthogonal']

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)
const orNull = ({ expected, accepts }: Range): Range => ({ expected: `${expected}, or null`, accepts: (v) => v === null || accepts(v) })
const tableOf = (range: Range): Range => ({ expected: `an object, each value ${range.expected}`, accepts: (v) => isTable(v) && Object.values(v).every((one) => range.accepts(one)) })

const ranges: Readonly<Record<string, Range>> = {
  r: required(whole(1)),
  lora_alpha: required(finite),
  rank_pattern: orNull(tableOf(whole(1))),
  alpha_pattern: orNull(tableOf(finite)),
  use_rslora: orNull(flag),
  peft_type: orNull(oneOf('LORA')),
  bias: oneOf('none'),
  init_lora_weights: { expected: 'true, false, gaussian, eva or orthogonal, which leave the base as it is', accepts: (v) => plainStarts.includes(v) },
}

/** A feature that is off. What this reader has never heard of is taken so too, since PEFT gets new ones with every release. */
const off: Range = {
  expected: 'null, false or empty, as this reader does not know what it does',
  accepts: (v) => v === null || v === false || typeof v === 'object' && Object.keys(v as object).length === 0,
}

/**
 * The alpha of each layer by a configuration of PEFT's LoRA: `adapter_config.json`, or `lora_adapter_metadata` in the header of a
 * diffusers file. `alpha_pattern` goes before `lora_alpha`; `use_rslora` means alpha / √rank (Kalajdzievski 2023,
 * https://arxiv.org/abs/2312.03732), which is alpha·√rank / rank.
 *
 * @param label where it stands, for messages
 * @returns a rule that throws a CheckpointError for a layer whose rank is another than the configuration's
 * @throws {CheckpointError} that names the field which is missing, not understood or out of its range
 */
export function loraAlpha(label: string, json: unknown): AlphaRule {
  const refuse = (field: string, expected: string, got: unknown): never => {
    throw new CheckpointError(`loadAdapter: ${label}: expected ${field} to be ${expected}, got ${show(got)}; the adapter's strength cannot be known`)
  }
  if (!isTable(json)) return refuse('the configuration', 'an object', json)
  for (const [field, value] of Object.entries(json)) {
    if (Object.hasOwn(inert, field)) continue
    const range = Object.hasOwn(ranges, field) ? ranges[field] as Range : off
    if (!range.accepts(value)) refuse(field, range.expected, value)
  }
  for (const [field, range] of Object.entries(ranges)) if (range.required && !Object.hasOwn(json, field)) refuse(field, range.expected, undefined)
  // The ranges above say what each field is.
  const config = json as { r: number; lora_alpha: number; rank_pattern?: Record<string, number> | null; alpha_pattern?: Record<string, number> | null; use_rslora?: boolean | null }
  const table = (field: 'rank_pattern' | 'alpha_pattern'): (readonly [(layer: string) => boolean, number])[] => Object.entries(config[field] ?? {}).map(([key, value]) =>
    [layerPattern(key) ?? refuse(`the keys of ${field}`, 'names of layers, or simple patterns of them', key), value])
  const [ranks, alphas] = [table('rank_pattern'), table('alpha_pattern')]
  const first = (entries: typeof ranks, layer: string): number | undefined => entries.find(([matches]) => matches(layer))?.[1]
  return ({ layer, called, rank }) => {
    const said = first(ranks, called) ?? config.r
    if (said !== rank) refuse(`the rank of ${layer}`, `${rank}, as its tensors have it`, said)
    const alpha = first(alphas, called) ?? config.lora_alpha
    return config.use_rslora ? alpha * Math.sqrt(rank) : alpha
  }
}

/** The number that occurs most often. */
export function commonest(values: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const v of values) counts.set(v, (counts.get(v) ?? 0) + 1)
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0]
}

/**
 * The configuration that {@link loraAlpha} and PEFT read these ranks and alphas from: the commonest, and patterns for
 * the others. Names of text encoders' layers lack the first part, which transformers ≥ 5.6 has not; older ones find
 * them by their end.
 */
export function loraConfig(
  layers: ReadonlyMap<string, { readonly rank: number; readonly alpha: number }>,
): Record<string, unknown> {
  const called = (layer: string): string => layer.replace(/^text_model\./, '')
  const entries = [...layers]
  const [r, alpha] = [commonest(entries.map(([, p]) => p.rank)), commonest(entries.map(([, p]) => p.alpha))]
  const others = (field: 'rank' | 'alpha', common: number): Record<string, number> =>
    Object.fromEntries(entries.filter(([, p]) => p[field] !== common).map(([layer, p]) => (
      [called(layer) === layer ? patternOf(layer) : endPattern(called(layer)), p[field]]
    )))
  return {
    peft_type: 'LORA', r, lora_alpha: alpha, rank_pattern: others('rank', r), alpha_pattern: others('alpha', alpha),
    use_rslora: false, bias: 'none', target_modules: entries.map(([layer]) => called(layer)),
  }
}
