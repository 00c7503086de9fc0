import { Tokenizer } from '@huggingface/tokenizers'
import { CheckpointError } from '@antipode/core'
import { checkArgument, show, whole } from '@antipode/core/options'
import type { Encoder, PaddedPrompt } from './encoder.ts'
import { type BertTokenizerFiles, type Table, tableOf, vocabularyOf } from './files.ts'

const where = 'BertTokenizer'
/** What BERT names its special tokens, in every vocabulary. */
const special = { pad: '[PAD]', unknown: '[UNK]', cls: '[CLS]', sep: '[SEP]', mask: '[MASK]' } as const
/** Chinese characters beyond 16 bits, which stand alone as the others do; the library sees their halves. */
const wideIdeographs = /[\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu

/**
 * The tokenizer of BERT: words, which punctuation ends, in the largest pieces that the vocabulary has.
 * Source: Devlin et al. 2019, arXiv 1810.04805, section 4.1 (WordPiece); `BertTokenizer` of transformers.
 * @example
 * const tokenizer = BertTokenizer.from({ vocab: await readFile('vocab.txt', 'utf8') })
 * const { ids } = tokenizer.padded('an astronaut riding a horse', 35)
 */
export class BertTokenizer {
  /** What a padded text begins with, `[CLS]`. */
  readonly cls: number
  /** What ends it, `[SEP]`. */
  readonly sep: number
  /** What stands behind the end, `[PAD]`. */
  readonly pad: number
  readonly #encoder: Encoder
  readonly #lower: boolean

  private constructor(
    encoder: Encoder, lower: boolean, { cls, sep, pad }: Pick<BertTokenizer, 'cls' | 'sep' | 'pad'>,
  ) {
    this.#encoder = encoder
    this.#lower = lower
    this.cls = cls
    this.sep = sep
    this.pad = pad
  }

  /**
   * The tokenizer of a checkpoint, from its own files. Texts are lower-cased, and accents left out, unless the files
   * say that case counts.
   * @throws {CheckpointError} that says which file lacks what
   */
  static from(files: BertTokenizerFiles): BertTokenizer {
    const { vocab, normalizer } = piecesOf(files)
    const idOf = (content: string): number => {
      const id = Object.hasOwn(vocab, content) ? vocab[content] : undefined
      if (id !== undefined) return id
      throw new CheckpointError(
        `${where}: expected the special token '${content}' in the vocabulary, got none; pass the files of BERT`,
      )
    }
    const added = Object.values(special).map((content) => ({
      id: idOf(content), content, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false,
    }))
    const json = {
      added_tokens: added, normalizer, pre_tokenizer: { type: 'BertPreTokenizer' }, post_processor: null, decoder: null,
      model: {
        type: 'WordPiece', vocab, unk_token: special.unknown, continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
      },
    }
    const encoder = new Tokenizer(json, {}) as Encoder // its package's types do not resolve in Node's modules
    return new BertTokenizer(encoder, normalizer['lowercase'] !== false, {
      cls: idOf(special.cls), sep: idOf(special.sep), pad: idOf(special.pad),
    })
  }

  /** Ids of a text, without begin and end. */
  encode(text: string): number[] {
    const apart = text.replaceAll(wideIdeographs, ' $& ')
    // Lower-casing by characters, as BERT's tokenizers do it, knows nothing of the ς at the end of a word.
    const plain = this.#lower ? apart.replaceAll('Σ', 'σ') : apart
    return this.#encoder.encode(plain, { add_special_tokens: false }).ids
  }

  /**
   * `[CLS]`, as much of the text as fits, `[SEP]`, and padding up to a length.
   * @throws {ConfigError} unless the length is whole and 2 or more
   */
  padded(text: string, length: number): PaddedPrompt {
    checkArgument(where, 'the length', length, whole(2))
    const ids = this.encode(text)
    const row = [this.cls, ...ids.slice(0, length - 2), this.sep]
    const padding = new Array<number>(length - row.length).fill(this.pad)
    return { ids: [...row, ...padding], truncated: ids.length > length - 2 }
  }
}

/** The vocabulary, and how texts are cleaned before they are cut. */
function piecesOf(
  files: BertTokenizerFiles,
): { readonly vocab: Readonly<Record<string, number>>; readonly normalizer: Table } {
  const { tokenizer, vocab, config = {} } = files
  if (tokenizer !== undefined) {
    const { model, normalizer } = tableOf(where, 'tokenizer.json', tokenizer)
    const { type, vocab: own } = tableOf(where, 'the model in tokenizer.json', model)
    const { type: kind, ...rules } = tableOf(where, 'the normalizer in tokenizer.json', normalizer)
    if ((type === undefined || type === 'WordPiece') && kind === 'BertNormalizer') {
      return { vocab: vocabularyOf(where, 'tokenizer.json', own), normalizer: { type: kind, ...rules } }
    }
    throw new CheckpointError(
      `${where}: expected pieces of words (WordPiece) with BertNormalizer, got ${show(type)} with ${show(kind)}; ` +
        'pass the files of BERT',
    )
  }
  if (vocab === undefined) throw new CheckpointError(`${where}: expected tokenizer.json or vocab.txt, got neither`)
  const words = vocab.replace(/\r?\n$/, '').split(/\r?\n/)
  const { do_lower_case: lower = true, strip_accents: strip = null, tokenize_chinese_chars: chinese = true } =
    tableOf(where, 'tokenizer_config.json', config)
  return {
    vocab: Object.fromEntries(words.map((word, id) => [word, id])),
    normalizer: {
      type: 'BertNormalizer', clean_text: true, handle_chinese_chars: chinese, strip_accents: strip, lowercase: lower,
    },
  }
}
