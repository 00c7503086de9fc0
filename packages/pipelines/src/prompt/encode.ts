import { concat, constant, type Tensor } from '@antipode/core'
import type { CLIPTextModel, CLIPTextOutput } from '@antipode/models'

/** Prompts as the ids of tokens: as much of a tokenizer as a pipeline needs. */
export interface PromptTokenizer {
  /** Ids of a prompt between begin and end, cut or padded to the tokens that the encoder has places for. */
  padded(text: string): { readonly ids: readonly number[] }
}

/** What a text encoder makes of prompts, `[prompts, tokens, …]`; nothing is computed yet. */
export function encode(tokenizer: PromptTokenizer, encoder: CLIPTextModel, prompts: readonly string[]): CLIPTextOutput {
  const rows = prompts.map((prompt) => {
    const { ids } = tokenizer.padded(prompt)
    return constant(encoder.device, [...ids], [1, ids.length], { dtype: 'i32' })
  })
  return encoder.forward(rows.length === 1 ? rows[0]! : concat(rows))
}

/** Each row of a batch `[B, …]` a number of times, next to each other: `[B·copies, …]`. */
export function repeatRows(t: Tensor, copies: number): Tensor {
  if (copies === 1) return t
  const [rows = 1, ...rest] = t.shape
  return t.unsqueeze(1).expand([rows, copies, ...rest]).reshape([rows * copies, ...rest])
}
