/** A prompt as a text encoder reads it. */
export interface PaddedPrompt {
  /** Begin, the prompt, end, and padding: as many as the encoder reads. */
  readonly ids: readonly number[]
  /** Whether the prompt was longer than fits between begin and end, so that its last tokens are not in `ids`. */
  readonly truncated: boolean
}

/** As much of the library's tokenizer as is used here. */
export interface Encoder {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: number[] }
}
