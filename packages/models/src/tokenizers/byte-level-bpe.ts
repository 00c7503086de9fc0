import { CheckpointError } from '@antipode/core'
import { show } from '@antipode/core/options'
import { type CLIPTokenizerFiles, type Table, tableOf, vocabularyOf } from './files.ts'

const where = 'CLIPTokenizer'
/** What words are: contractions, runs of letters, single digits, runs of anything else that is no space. */
const words = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"

/** A vocabulary and what is merged to its tokens. */
export interface BytePairs {
  /** The id of each token. */
  readonly vocab: Readonly<Record<string, number>>
  /** Pairs of tokens, the first to merge first. */
  readonly merges: readonly (readonly [string, string])[]
  /** Tokens that `tokenizer.json` lists beside the vocabulary; none of the other files. */
  readonly added: unknown
}

/** Vocabulary and merges, from whichever files there are. @throws {CheckpointError} if they are not there, or not of CLIP */
export function bytePairs({ tokenizer, vocab, merges }: CLIPTokenizerFiles): BytePairs {
  if (tokenizer !== undefined) {
    const { added_tokens: added, model } = tableOf(where, 'tokenizer.json', tokenizer)
    const { type = 'BPE', vocab: own, merges: pairs, end_of_word_suffix: end } =
      tableOf(where, 'the model in tokenizer.json', model)
    if (type === 'BPE' && end === '</w>' && Array.isArray(pairs)) {
      const merged = (pairs as readonly unknown[]).map((pair) => pairOf(pair))
      return { vocab: vocabularyOf(where, 'vocab.json', own), merges: merged, added }
    }
    throw new CheckpointError(
      `${where}: expected byte pairs (BPE) whose words end in </w>, got ${show(type)} and ${show(end)}; ` +
        'a text encoder of another kind has another tokenizer',
    )
  }
  if (vocab === undefined || merges === undefined) {
    const missing = vocab === undefined ? merges === undefined ? 'neither' : 'no vocab.json' : 'no merges.txt'
    throw new CheckpointError(`${where}: expected tokenizer.json, or vocab.json with merges.txt, got ${missing}`)
  }
  const lines = merges.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version'))
  return { vocab: vocabularyOf(where, 'vocab.json', vocab), merges: lines.map(pairOf), added: [] }
}

/** A pair as newer files have it, or as a line of text. */
function pairOf(pair: unknown): readonly [string, string] {
  const both = typeof pair === 'string' ? pair.split(' ') : pair
  if (Array.isArray(both) && both.length === 2 && both.every((token) => typeof token === 'string' && token !== '')) {
    return both as [string, string] // as was just seen
  }
  throw new CheckpointError(`${where}: expected merges of two tokens, got ${show(pair)}; download the files again`)
}

/**
 * A `tokenizer.json` of CLIP, as transformers makes it of a vocabulary and merges, whatever file they came from: text is
 * composed (NFC) and lower-cased, cut into words, and each word's bytes are merged in pairs; `</w>` ends a word.
 * Source: `CLIPTokenizer` of transformers; Radford et al. 2021, arXiv 2103.00020, section 2.4.
 */
export function tokenizerJson({ vocab, merges }: BytePairs, added: readonly object[], unknown: string): Table {
  return {
    added_tokens: added,
    normalizer: {
      type: 'Sequence',
      normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' }, { type: 'Lowercase' }],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: words }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE', vocab, merges, unk_token: unknown, fuse_unk: false,
      continuing_subword_prefix: '', end_of_word_suffix: '</w>',
    },
  }
}
