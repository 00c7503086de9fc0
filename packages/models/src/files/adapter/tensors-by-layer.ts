import { CheckpointError } from '@antipode/core'

/** The tensors of one layer in a file, by their names there. */
export interface LayerNames {
  readonly a?: string
  readonly b?: string
  /** A number beside the pair. */
  readonly alpha?: string
  /** A change in full. */
  readonly diff?: string
}

/** How programs end the names of a pair, PEFT, diffusers before it, and kohya-ss; and of a difference. */
const endings: readonly (readonly [RegExp, keyof LayerNames, string])[] = [
  [/\.lora_A\.weight$/, 'a', ''], [/\.lora_B\.weight$/, 'b', ''],
  // diffusers' first form keeps pairs in a processor of the attention, whose last layer is not indexed.
  [/\.processor\.to_out_lora\.down\.weight$/, 'a', '.to_out.0'],
  [/\.processor\.to_out_lora\.up\.weight$/, 'b', '.to_out.0'],
  [/\.processor\.(to_[qkv])_lora\.down\.weight$/, 'a', '.$1'],
  [/\.processor\.(to_[qkv])_lora\.up\.weight$/, 'b', '.$1'],
  [/\.lora\.down\.weight$/, 'a', ''], [/\.lora\.up\.weight$/, 'b', ''],
  [/\.lora_down\.weight$/, 'a', ''], [/\.lora_up\.weight$/, 'b', ''],
  [/\.alpha$/, 'alpha', ''], [/\.diff$/, 'diff', ''],
]

/**
 * The tensors of an adapter file by the model's layers. Layers may be named as the model names them, behind `unet.` or
 * `base_model.model.`, or as kohya-ss does, `lora_unet_` and underscores for dots.
 *
 * @returns `layers`, and under `strangers` the names that belong to none
 * @throws {CheckpointError} if two tensors stand for one
 */
export function tensorsByLayer(
  names: Iterable<string>,
  layers: Iterable<string>,
): { readonly layers: ReadonlyMap<string, LayerNames>; readonly strangers: readonly string[] } {
  const known = new Map<string, string>()
  for (const layer of layers) known.set(layer, layer).set(`lora_unet_${layer.replaceAll('.', '_')}`, layer)
  const found = new Map<string, LayerNames>()
  const strangers: string[] = []
  for (const name of names) {
    const [ending, part, rest] = endings.find(([pattern]) => pattern.test(name)) ?? []
    const stem = ending && name.replace(ending, rest as string)
    const bare = stem?.replace(/^(base_model\.model\.)?(unet\.)?/, '')
    const layer = known.get(stem ?? '') ?? known.get(bare ?? '')
    if (layer === undefined || !part) {
      strangers.push(name)
      continue
    }
    const own = found.get(layer) ?? {}
    if (own[part] !== undefined) {
      throw new CheckpointError(
        `loadAdapter: expected one tensor of each kind for ${layer}, got ${own[part]} and ${name}; ` +
          'export the file again',
      )
    }
    found.set(layer, { ...own, [part]: name })
  }
  return { layers: found, strangers }
}
