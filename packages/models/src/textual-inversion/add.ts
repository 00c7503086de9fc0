import type { Tensor } from '@antipode/core'
import type { CLIPTextModel } from '../clip/index.ts'
import type { CLIPTokenizer } from '../tokenizers/index.ts'

/** A text tower and the tokenizer before it. */
export interface TextEncoder<M extends CLIPTextModel = CLIPTextModel> {
  readonly tokenizer: CLIPTokenizer
  readonly model: M
}

/**
 * Copies of a tokenizer and its text tower that know one more word: where it stands in a prompt, the rows
 * `[n, hidden_size]` stand, one behind the other. The copies share all tensors with what was given, the rows with what
 * reads them; the table of tokens is not copied.
 * @throws {ShapeError} if the rows are of another width @throws {ConfigError} if the word is there already
 */
export function addTextualInversion<M extends CLIPTextModel>(
  { tokenizer, model }: TextEncoder<M>,
  token: string,
  rows: Tensor,
): TextEncoder<M> {
  const grown = model.withTokens(rows)
  const ids = Array.from({ length: rows.shape[0] ?? 0 }, (_, i) => model.tokens + i)
  return { tokenizer: tokenizer.withToken(token, ids), model: grown }
}
