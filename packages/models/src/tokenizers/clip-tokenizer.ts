import { Tokenizer } from '@huggingface/tokenizers'
import { CheckpointError } from '@antipode/core'
import { checkArgument, whole } from '@antipode/core/options'
import { bytePairs, tokenizerJson } from './byte-level-bpe.ts'
import type { Encoder, PaddedPrompt } from './encoder.ts'
import { type AddedToken, type CLIPTokenizerFiles, statedFields, statedToken, tableOf } from './files.ts'

const where = 'CLIPTokenizer'

/**
 * The tokenizer of CLIP's text towers: byte pairs of lower-cased words.
 * @example
 * const tokenizer = CLIPTokenizer.from({ vocab: JSON.parse(vocab), merges, config: JSON.parse(config) })
 * const { ids, truncated } = tokenizer.padded('an astronaut riding a horse') // 77 ids
 */
export class CLIPTokenizer {
  /** Tokens of a padded prompt, its begin and end among them; 77 unless the configuration says otherwise. */
  readonly maxLength: number
  readonly bos: number
  readonly eos: number
  /** What stands behind the end: the end again, or `!` for OpenCLIP's towers, as the checkpoint's files say. */
  readonly pad: number
  readonly #encoder: Encoder
  /** Ids of words that were learned, by the words in lower case. */
  readonly #learned: ReadonlyMap<string, readonly number[]>

  private constructor(
    encoder: Encoder,
    { maxLength, bos, eos, pad }: Pick<CLIPTokenizer, 'maxLength' | 'bos' | 'eos' | 'pad'>,
    learned: ReadonlyMap<string, readonly number[]> = new Map(),
  ) {
    this.#encoder = encoder
    this.#learned = learned
    this.maxLength = maxLength
    this.bos = bos
    this.eos = eos
    this.pad = pad
  }

  /**
   * The tokenizer of a checkpoint, from its own files.
   * @throws {CheckpointError} that says which file lacks what
   */
  static from(files: CLIPTokenizerFiles): CLIPTokenizer {
    const fields = statedFields(files)
    const end = '<|endoftext|>'
    const named = { bos_token: '<|startoftext|>', eos_token: end, unk_token: end, pad_token: end }
    const stated = Object.entries(named).map(([name, usual]) => statedToken(fields[name] ?? usual))
    const [bos, eos, unknown, pad] = stated.map((token) => token?.content ?? end) as [string, string, string, string]
    const pairs = bytePairs(files)
    const added = addedTokens(pairs.added, fields['added_tokens_decoder'])
    const idOf = (content: string): number => {
      const id = added.get(content)?.id ?? (Object.hasOwn(pairs.vocab, content) ? pairs.vocab[content] : undefined)
      if (id !== undefined) return id
      throw new CheckpointError(
        `${where}: expected the special token '${content}' in the vocabulary, got none; pass the files of one ` +
          'tokenizer together',
      )
    }
    // Of one token under several names, the last counts.
    const special = new Map(stated.flatMap((token) => (
      token && !added.has(token.content) ? [[token.content, { ...token, id: idOf(token.content) }]] : []
    )))
    const { model_max_length: length } = fields
    const json = tokenizerJson(pairs, [...added.values(), ...special.values()], unknown)
    return new CLIPTokenizer(new Tokenizer(json, {}) as Encoder, { // its package's types do not resolve in Node's modules
      maxLength: whole(2).accepts(length) ? Number(length) : 77, bos: idOf(bos), eos: idOf(eos), pad: idOf(pad),
    })
  }

  /** Whether a word was added by {@link withToken}. */
  has(token: string): boolean {
    return this.#learned.has(token.toLowerCase())
  }

  /**
   * A tokenizer that finds one more word, in texts of either case, before anything else, and gives these ids for it.
   * @throws {ConfigError} if the word is empty or was added before
   */
  withToken(token: string, ids: readonly number[]): CLIPTokenizer {
    checkArgument('withToken', 'the token', token, {
      expected: 'a word that is not there yet', accepts: (v) => v !== '' && !this.has(token),
    })
    return new CLIPTokenizer(this.#encoder, this, new Map([...this.#learned, [token.toLowerCase(), ids]]))
  }

  /** Ids of a text, without begin and end. */
  encode(text: string): number[] {
    // Lower-casing by characters, as CLIP's tokenizers do it, knows nothing of the ς at the end of a word.
    const plain = (part: string): number[] =>
      this.#encoder.encode(part.replaceAll('Σ', 'σ'), { add_special_tokens: false }).ids
    if (this.#learned.size === 0) return plain(text)
    const longestFirst = [...this.#learned.keys()].sort((a, b) => b.length - a.length)
    const words = longestFirst.map((word) => word.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)).join('|')
    // What stands between words, and the words, in turn.
    const parts = text.split(new RegExp(`(${words})`, 'i'))
    return parts.flatMap((part) => this.#learned.get(part.toLowerCase()) ?? plain(part))
  }

  /** Begin, as much of the text as fits, end, and padding up to `maxLength`. */
  padded(text: string): PaddedPrompt {
    const ids = this.encode(text)
    const room = this.maxLength - 2
    const row = [this.bos, ...ids.slice(0, room), this.eos]
    const padding = new Array<number>(this.maxLength - row.length).fill(this.pad)
    return { ids: [...row, ...padding], truncated: ids.length > room }
  }
}

/** The added tokens that `tokenizer.json` and the configuration list, by their text. */
function addedTokens(listed: unknown, decoder: unknown = {}): Map<string, AddedToken> {
  const byId = Object.entries(tableOf(where, 'added_tokens_decoder', decoder))
  const all = [...(Array.isArray(listed) ? listed as readonly unknown[] : []), ...byId.map(([id, token]) => (
    { ...tableOf(where, 'added_tokens_decoder', token), id: Number(id) }
  ))]
  const added = new Map<string, AddedToken>()
  for (const one of all) {
    const token = statedToken(one)
    const { id } = tableOf(where, 'added_tokens', one)
    if (!token || !whole(0).accepts(id)) {
      throw new CheckpointError(
        `${where}: expected added tokens with an id and a text, got others; download the files again`,
      )
    }
    if (!added.has(token.content)) added.set(token.content, { ...token, id: Number(id) })
  }
  return added
}
