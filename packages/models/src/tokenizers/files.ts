import { CheckpointError } from '@antipode/core'
import { show, whole } from '@antipode/core/options'

/** A tokenizer's files as a checkpoint's folder has them: JSON parsed, text as it is. */
export interface CLIPTokenizerFiles {
  /** `tokenizer.json`; without it, `vocab` and `merges` are needed. */
  readonly tokenizer?: unknown
  /** `tokenizer_config.json`. */
  readonly config?: unknown
  /** `vocab.json`: the id of each token. */
  readonly vocab?: unknown
  /** `merges.txt`: a pair of tokens a line, the first to merge first. */
  readonly merges?: string | undefined
  /** `special_tokens_map.json`. */
  readonly specialTokens?: unknown
}

/** BERT's files as a checkpoint's folder has them: JSON parsed, text as it is. */
export interface BertTokenizerFiles {
  /** `tokenizer.json`; without it, `vocab` is needed. */
  readonly tokenizer?: unknown
  /** `tokenizer_config.json`, which says beside `vocab` whether case and accents count. */
  readonly config?: unknown
  /** `vocab.txt`: a token a line, in the order of their ids. */
  readonly vocab?: string | undefined
}

export type Table = Readonly<Record<string, unknown>>

/** What a file holds, if that is an object. @throws {CheckpointError} */
export function tableOf(where: string, file: string, value: unknown): Table {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Table // an object
  throw new CheckpointError(`${where}: expected ${file} to hold an object, got ${show(value)}; pass it parsed`)
}

/** The id of each token, as a file holds them. @throws {CheckpointError} */
export function vocabularyOf(where: string, file: string, value: unknown): Readonly<Record<string, number>> {
  const vocab = tableOf(where, file, value)
  const id = whole(0)
  const odd = Object.keys(vocab).find((token) => !id.accepts(vocab[token]))
  if (odd === undefined) return vocab as Readonly<Record<string, number>> // whole numbers, as was just seen
  throw new CheckpointError(
    `${where}: expected a whole number for each token of the vocabulary, got ${show(vocab[odd])} for '${odd}'; ` +
      'download the files again',
  )
}

/** A token that is found in a text before anything else is. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  readonly special: boolean
  readonly lstrip: boolean
  readonly rstrip: boolean
  /** Whether it is looked for after lower-casing. */
  readonly normalized: boolean
}

/** A token as files state it: its text, or an object with that and how it is found. */
export function statedToken(value: unknown): Omit<AddedToken, 'id'> | undefined {
  const stated = typeof value === 'string' ? { content: value } : value
  if (typeof stated !== 'object' || stated === null) return undefined
  const { content, special, lstrip, rstrip, normalized } = stated as Table
  if (typeof content !== 'string' || content === '') return undefined
  return {
    content, special: special !== false, lstrip: lstrip === true, rstrip: rstrip === true,
    normalized: (normalized ?? special === false) === true,
  }
}

/**
 * What the files say of special tokens and sizes. As in transformers, the map of special tokens counts before the
 * configuration, unless the latter lists every added token itself. Stable Diffusion 2 pads as its map says.
 */
export function statedFields({ config = {}, specialTokens = {} }: CLIPTokenizerFiles): Table {
  const fields = tableOf('CLIPTokenizer', 'tokenizer_config.json', config)
  const map = tableOf('CLIPTokenizer', 'special_tokens_map.json', specialTokens)
  return 'added_tokens_decoder' in fields ? { ...map, ...fields } : { ...fields, ...map }
}
