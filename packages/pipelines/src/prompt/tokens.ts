import { weightedTexts } from './weights.ts'

/** Prompts as the ids of tokens: as much of a tokenizer as a pipeline needs. */
export interface PromptTokenizer {
  /** Tokens of a padded prompt, its begin and end among them. */
  readonly maxLength: number
  readonly bos: number
  readonly eos: number
  /** What stands behind the end. */
  readonly pad: number
  /** Ids of a text, without begin and end. */
  encode(text: string): readonly number[]
  /** Ids of a prompt between begin and end, cut or padded to `maxLength`. */
  padded(text: string): { readonly ids: readonly number[]; readonly truncated?: boolean }
}

/**
 * How prompts are read: `plain`, cut to as many tokens as the encoder has places for, as diffusers does; or `weighted`,
 * with weights in brackets, and long ones in several chunks, as the programs of the field do.
 */
export type PromptSyntax = 'plain' | 'weighted'

/** Prompts as an encoder reads them. */
export interface PromptTokens {
  /** Rows of an encoder for each prompt. */
  readonly chunks: number
  /** Ids, `[prompts · chunks][tokens]`. */
  readonly ids: readonly (readonly number[])[]
  /** How much each of them counts; undefined where each counts once. */
  readonly weights: readonly (readonly number[])[] | undefined
}

interface Token {
  readonly id: number
  readonly weight: number
}

/** Prompts that were cut, each of which is told of once. */
const told = new Set<string>()

/** Warns where a prompt is not read to its end, as diffusers does. */
function tellOfCut(tokenizer: PromptTokenizer, prompts: readonly string[]): void {
  for (const prompt of prompts) {
    if (told.has(prompt) || !tokenizer.padded(prompt).truncated) continue
    told.add(prompt)
    console.warn(
      `pipelines: a prompt has ${tokenizer.encode(prompt).length} tokens, of which ${tokenizer.maxLength - 2} are read, as ` +
        `diffusers does; promptSyntax: 'weighted' reads all of them: ${prompt.slice(0, 60)}…`,
    )
  }
}

/** Rows that the longest of some prompts needs; one that is cut is told of. */
export function chunksFor(tokenizer: PromptTokenizer, prompts: readonly string[], syntax: PromptSyntax): number {
  if (syntax === 'plain') {
    tellOfCut(tokenizer, prompts)
    return 1
  }
  const room = tokenizer.maxLength - 2
  return Math.max(1, ...prompts.map((prompt) => Math.ceil(read(tokenizer, prompt).length / room)))
}

/** @param chunks rows of each prompt, as many as {@link chunksFor} says, or more */
export function tokensOf(
  tokenizer: PromptTokenizer,
  prompts: readonly string[],
  syntax: PromptSyntax,
  chunks: number,
): PromptTokens {
  if (syntax === 'plain')
    return { chunks: 1, ids: prompts.map((prompt) => tokenizer.padded(prompt).ids), weights: undefined }
  const { maxLength, bos, eos, pad } = tokenizer
  const room = maxLength - 2
  const rows = prompts.flatMap((prompt) => {
    const tokens = read(tokenizer, prompt)
    return Array.from({ length: chunks }, (_, k) => tokens.slice(k * room, (k + 1) * room))
  })
  const filled = (own: readonly number[], end: readonly number[], rest: number): number[] =>
    [...own, ...end, ...new Array<number>(maxLength).fill(rest)].slice(0, maxLength)
  const weighted = rows.some((row) => row.some(({ weight }) => weight !== 1))
  return {
    chunks,
    ids: rows.map((row) => filled([bos, ...row.map(({ id }) => id)], [eos], pad)),
    weights: weighted ? rows.map((row) => filled([1, ...row.map(({ weight }) => weight)], [], 1)) : undefined,
  }
}

function read(tokenizer: PromptTokenizer, prompt: string): Token[] {
  return weightedTexts(prompt).flatMap(({ text, weight }) => tokenizer.encode(text).map((id) => ({ id, weight })))
}
