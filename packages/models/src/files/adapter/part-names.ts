/** What a tensor is to its layer: the pair A and B, what stands between them, their alpha, or a change in full. */
export type Part = 'a' | 'b' | 'middle' | 'alpha' | 'diff' | 'diffBias'

/**
 * How programs end the names of tensors, and what then stands for the layer: PEFT, diffusers before it, kohya-ss and
 * LyCORIS. PEFT may say the adapter's name too, and diffusers' first form keeps the pairs of an attention in a
 * processor, whose last layer is not indexed, or names those of text encoders like it.
 */
const endings: readonly (readonly [RegExp, Part, string])[] = [
  [/\.lora_A(\.\w+)?\.weight$/, 'a', ''], [/\.lora_B(\.\w+)?\.weight$/, 'b', ''],
  [/\.processor\.to_out_lora\.down\.weight$/, 'a', '.to_out.0'],
  [/\.processor\.to_out_lora\.up\.weight$/, 'b', '.to_out.0'],
  [/\.processor\.(to_[qkv])_lora\.down\.weight$/, 'a', '.$1'],
  [/\.processor\.(to_[qkv])_lora\.up\.weight$/, 'b', '.$1'],
  [/\.to_(q|k|v|out)_lora\.down\.weight$/, 'a', '.$1_proj'],
  [/\.to_(q|k|v|out)_lora\.up\.weight$/, 'b', '.$1_proj'],
  [/\.lora(_linear_layer)?\.down\.weight$/, 'a', ''], [/\.lora(_linear_layer)?\.up\.weight$/, 'b', ''],
  [/\.lora_down\.weight$/, 'a', ''], [/\.lora_up\.weight$/, 'b', ''], [/\.lora_mid\.weight$/, 'middle', ''],
  [/\.alpha$/, 'alpha', ''],
  [/\.diff$/, 'diff', ''], [/\.diff_b$/, 'diffBias', ''], [/\.w_norm$/, 'diff', ''], [/\.b_norm$/, 'diffBias', ''],
]

/** The layer that the name of an adapter's tensor is for, as it is written there, and what it is to it. */
export function partOf(name: string): { readonly stem: string; readonly part: Part } | undefined {
  const [ending, part, rest] = endings.find(([pattern]) => pattern.test(name)) ?? []
  return ending && part ? { stem: name.replace(ending, rest ?? ''), part } : undefined
}
