import { CheckpointError } from '@antipode/core'

/** Ways to change a model that are no sum of a low-rank pair or a difference, by how the names of their tensors end. */
const methods: readonly (readonly [RegExp, string])[] = [
  [/\.(dora_scale|lora_magnitude_vector(\.\w+)*)$/, 'DoRA'],
  [/\.hada_[wt]\d(_[ab])?$/, 'LoHa'],
  [/\.lokr_[wt]\d(_[ab])?$/, 'LoKr'],
  [/\.(on_input|ia3_l(\.\w+)*)$/, '(IA)³'],
  [/\.[ab][12]\.weight$/, 'GLoRA'],
  [/\.(oft_(blocks|diag|r|R|s)|boft_(R|s))(\.\w+)*$/, 'OFT'],
  [/\.vera_lambda_[bd](\.\w+)*$/, 'VeRA'],
  [/\.lora_(E|ranknum)(\.\w+)*$/, 'AdaLoRA'],
  [/\.lora_[AB](\.\w+)?\.bias$/, 'LoRA with biases'],
  [/\.lora_embedding_[AB](\.\w+)*$/, 'LoRA of a table of embeddings'],
  [/^bundle_emb\./, 'LoRA with embeddings of tokens beside it'],
]

/**
 * Refuses methods that are not computed here.
 * @throws {CheckpointError} that names the method
 */
export function refuseOtherMethods(names: Iterable<string>): void {
  for (const name of names) {
    const method = methods.find(([pattern]) => pattern.test(name))?.[1]
    if (method === undefined) continue
    throw new CheckpointError(
      `loadAdapter: expected low-rank pairs or differences, got ${method} (${name}); merge it into its model with ` +
        'the program that trained it, and load that model instead',
    )
  }
}
