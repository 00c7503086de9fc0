import { concat, ConfigError, type Tensor } from '@antipode/core'
import type { CLIPTextModel, CLIPTextModelWithProjection, CLIPTextOutput } from '@antipode/models'
import {
  contextFrom,
  encode,
  firstChunks,
  type PromptSyntax,
  type PromptTokenizer,
  type PromptTokens,
  tokensOf,
} from '../prompt/index.ts'

/** The two text encoders, of which refiners lack the first. */
export interface TextEncoders {
  readonly textEncoder?: CLIPTextModel | undefined
  readonly tokenizer?: PromptTokenizer | undefined
  readonly textEncoder2: CLIPTextModelWithProjection
  readonly tokenizer2: PromptTokenizer
}

/** Prompts of both encoders. */
export interface Texts {
  readonly first: readonly string[]
  readonly second: readonly string[]
}

/** What a UNet is told about prompts. */
export interface Prompt {
  readonly context: Tensor
  readonly textEmbeds: Tensor
}

/** The contexts of both encoders side by side, and the pooled prompt of the second. */
export function promptsOf(
  { textEncoder, tokenizer, textEncoder2, tokenizer2 }: TextEncoders,
  { first, second }: Texts,
  { syntax, chunks }: { readonly syntax: PromptSyntax; readonly chunks: number },
  skip?: number,
): Prompt {
  const context = (output: CLIPTextOutput, tokens: PromptTokens): Tensor =>
    contextFrom(stateBefore(output, skip), tokens)
  const tokens2 = tokensOf(tokenizer2, second, syntax, chunks)
  const two = encode(textEncoder2, tokens2)
  const contexts = [context(two, tokens2)]
  if (textEncoder && tokenizer) {
    const tokens = tokensOf(tokenizer, first, syntax, chunks)
    contexts.unshift(context(encode(textEncoder, tokens), tokens))
  }
  return { context: concat(contexts, -1), textEmbeds: firstChunks(two.textEmbeds as Tensor, tokens2) } // its encoder projects
}

/** What the last layer takes, or one further down, without the final norm. */
function stateBefore({ hiddenStates }: CLIPTextOutput, skip = 0): Tensor {
  const state = hiddenStates.at(-2 - skip)
  if (state) return state
  throw new ConfigError(
    `StableDiffusionXL: expected clipSkip below ${hiddenStates.length - 1}, the layers of the text encoders, got ${skip}`,
  )
}
