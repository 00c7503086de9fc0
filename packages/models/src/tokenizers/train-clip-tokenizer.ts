import { ConfigError } from '@antipode/core'
import { checkOptions, required, show, whole } from '@antipode/core/options'
import { byteAlphabet, endOfWord } from './byte-alphabet.ts'
import { CLIPTokenizer } from './clip-tokenizer.ts'
import type { CLIPTokenizerFiles, Table } from './files.ts'
import { type CountedWord, learnMerges } from './learn-merges.ts'

/** Options of {@link trainClipTokenizer}. */
export interface TrainClipTokenizerOptions {
  /** Tokens in all, at most: whole, 514 or more, for 512 of single bytes, and the begin and the end of prompts. */
  readonly vocabularySize: number
  /** How often a pair of tokens must be there to be merged, whole, 1 or more; 2 by default. */
  readonly minFrequency?: number
  /** Tokens of a padded prompt, whole, 2 or more; 77 by default. */
  readonly maxLength?: number
}

/** Files of a tokenizer, all that `CLIPTokenizer.from` and transformers read one from. */
export interface TrainedClipTokenizer extends CLIPTokenizerFiles {
  readonly config: Table
  readonly vocab: Readonly<Record<string, number>>
  readonly merges: string
  readonly specialTokens: Table
}

const [begin, end] = ['<|startoftext|>', '<|endoftext|>']

/**
 * Learns a tokenizer of CLIP's kind from texts. The vocabulary is in the order of CLIP's: a token for each byte, the
 * same at the end of a word, what is merged, the most frequent first, then begin and end. Texts become words as
 * `CLIPTokenizer` makes them, and ties are broken by the lower ids, so that the same texts in any order give the same
 * tokenizer. Where texts give out, there are fewer tokens than were asked for.
 * Source: Radford et al. 2021, arXiv 2103.00020, section 2.4; merges as `BpeTrainer` of Hugging Face's tokenizers learns
 * them.
 * @throws {ConfigError} if an option is unknown or outside its range, or texts are none
 * @example
 * const files = trainClipTokenizer(captions, { vocabularySize: 2048 })
 * const tokenizer = CLIPTokenizer.from(files)
 */
export function trainClipTokenizer(texts: Iterable<string>, options: TrainClipTokenizerOptions): TrainedClipTokenizer {
  checkOptions('trainClipTokenizer', options, {
    vocabularySize: required(whole(514, 2 ** 26)), minFrequency: whole(1), maxLength: whole(2),
  })
  const { vocabularySize, minFrequency = 2, maxLength = 77 } = options
  const bytes = byteAlphabet()
  const alphabet = [...bytes, ...bytes.map((symbol) => symbol + endOfWord)]
  const learned = learnMerges(alphabet, countedWords(alphabet, texts), { size: vocabularySize - 2, minFrequency })
  return filesOf(learned.tokens, learned.merges, maxLength)
}

/** The different words of texts, each as the ids of its bytes, cut by a tokenizer that merges nothing. */
function countedWords(alphabet: readonly string[], texts: Iterable<string>): CountedWord[] {
  const cutter = CLIPTokenizer.from(filesOf(alphabet, []))
  const words = new Map<string, { readonly ids: readonly number[]; count: number }>()
  for (const [piece, count] of countedPieces(texts)) {
    let ids: number[] = []
    for (const id of cutter.encode(piece)) {
      // Begin and end, where a text has them, are words that nothing is learned from.
      if (id < alphabet.length) ids.push(id)
      if (id < alphabet.length / 2) continue
      const key = ids.join()
      const known = words.get(key)
      if (known) known.count += count
      else if (ids.length > 0) words.set(key, { ids, count })
      ids = []
    }
  }
  return [...words.values()]
}

/** What stands between spaces: no word goes beyond them, and most of it comes again and again. */
function countedPieces(texts: Iterable<string>): Map<string, number> {
  if (typeof texts === 'string') {
    throw new ConfigError(`trainClipTokenizer: expected a list of texts, got ${show(texts)}; put it into a list`)
  }
  const pieces = new Map<string, number>()
  for (const text of texts) {
    if (typeof text !== 'string') {
      throw new ConfigError(`trainClipTokenizer: expected texts, got ${show(text)} among them; leave it out`)
    }
    for (const piece of text.split(/\s+/u)) pieces.set(piece, (pieces.get(piece) ?? 0) + 1)
  }
  return pieces
}

function filesOf(
  tokens: readonly string[], merges: readonly (readonly [string, string])[], maxLength = 77,
): TrainedClipTokenizer {
  const special = { bos_token: begin, eos_token: end, unk_token: end, pad_token: end }
  return {
    config: { tokenizer_class: 'CLIPTokenizer', ...special, model_max_length: maxLength, do_lower_case: true },
    vocab: Object.fromEntries([...tokens, begin, end].map((token, id) => [token, id])),
    merges: ['#version: 0.2', ...merges.map((pair) => pair.join(' ')), ''].join('\n'),
    specialTokens: special,
  }
}
