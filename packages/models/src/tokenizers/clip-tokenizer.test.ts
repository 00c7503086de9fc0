import { CheckpointError } from '@antipode/core'
import { expect, test } from 'vitest'
import { vocabulary } from '../testing/index.ts'
import golden from './clip-tokenizer.golden.json' with { type: 'json' }
import { CLIPTokenizer, type CLIPTokenizerFiles } from './index.ts'
import oracle from './prompts.golden.json' with { type: 'json' }

const merges = (pairs: readonly string[]): string => ['#version: 0.2', ...pairs, ''].join('\n')
const small = { vocab: vocabulary(golden.merges), merges: merges(golden.merges) }
const [first] = golden.kinds
const padTo77 = (ids: readonly number[], pad: number): number[] =>
  [...ids, ...new Array<number>(77 - ids.length).fill(pad)]

/** The files of a golden run, with the vocabulary put back. */
function filesOf({ tokenizer, ...rest }: (typeof golden.kinds)[number]['files']): CLIPTokenizerFiles {
  if (!tokenizer) return { ...rest, ...small }
  const pairs = golden.merges.map((pair) => pair.split(' '))
  const model = { ...tokenizer.model, vocab: small.vocab, merges: pairs }
  return { ...rest, tokenizer: { ...tokenizer, model } }
}

test.each(golden.kinds)('ids are those of transformers: $name', ({ files, bos, eos, pad, ids }) => {
  const tokenizer = CLIPTokenizer.from(filesOf(files))
  expect(tokenizer).toMatchObject({ bos, eos, pad, maxLength: 77 })
  golden.texts.forEach((text, i) => {
    const own = ids[i]!
    expect(tokenizer.encode(text), text).toEqual(own)
    const row = padTo77([bos, ...own.slice(0, 75), eos], pad)
    expect(tokenizer.padded(text), text).toEqual({ ids: row, truncated: own.length > 75 })
  })
})

test('the prompts of the reference pipelines have their ids, padded by the end and by "!"', () => {
  const vocab = vocabulary(oracle.merges)
  for (const [token, pad] of [['<|endoftext|>', 546], ['!', 0]] as const) {
    const files = { vocab, merges: merges(oracle.merges), specialTokens: { pad_token: token } }
    const tokenizer = CLIPTokenizer.from(files)
    for (const { text, ids } of oracle.prompts) {
      expect([tokenizer.bos, ...tokenizer.encode(text), tokenizer.eos]).toEqual(ids)
      expect(tokenizer.padded(text)).toEqual({ ids: padTo77(ids, pad), truncated: false })
    }
  }
})

test('the length is what the configuration says, unless that is no length', () => {
  const maxLength = (length: unknown): number =>
    CLIPTokenizer.from({ ...small, config: { model_max_length: length } }).maxLength
  expect([16, 1e30, null].map(maxLength)).toEqual([16, 77, 77])
})

test('lines of merges may end as Windows ends them, and older files leave the kind of the model out', () => {
  const model = { vocab: small.vocab, merges: golden.merges, unk_token: '<|endoftext|>', end_of_word_suffix: '</w>' }
  const whole = golden.kinds.find(({ files }) => files.tokenizer)!.files.tokenizer
  const windows = { ...small, merges: small.merges.replaceAll('\n', '\r\n') }
  for (const files of [windows, { tokenizer: { ...whole, model } }]) {
    const tokenizer = CLIPTokenizer.from(files)
    const plain = golden.texts.flatMap((text, i) => (text.includes('<|') ? [] : [[text, first!.ids[i]!] as const]))
    for (const [text, ids] of plain) expect(tokenizer.encode(text)).toEqual(ids)
  }
})

test.each<[string, CLIPTokenizerFiles]>([
  ['expected tokenizer.json, or vocab.json with merges.txt, got neither', {}],
  ['got no merges.txt', { vocab: small.vocab }],
  ['got no vocab.json', { merges: small.merges }],
  ["expected merges of two tokens, got 'a'", { ...small, merges: 'a' }],
  ['expected merges of two tokens, got [1,2]', { tokenizer: { model: { vocab: {}, merges: [[1, 2]], end_of_word_suffix: '</w>' } } }],
  ['expected vocab.json to hold an object, got []', { ...small, vocab: [] }],
  ["expected a whole number for each token of the vocabulary, got '1'", { ...small, vocab: { ...small.vocab, '!': '1' } }],
  ['expected the special token \'<pad>\' in the vocabulary', { ...small, specialTokens: { pad_token: '<pad>' } }],
  ['expected tokenizer_config.json to hold an object', { ...small, config: '{}' }],
  ['expected added_tokens_decoder to hold an object', { ...small, config: { added_tokens_decoder: { 3: 'x' } } }],
  ['expected added tokens with an id and a text', { ...small, config: { added_tokens_decoder: { x: { content: '' } } } }],
  ["expected byte pairs (BPE) whose words end in </w>, got 'Unigram'", { tokenizer: { model: { type: 'Unigram' } } }],
  ["got 'BPE' and ''", { tokenizer: { model: { vocab: {}, merges: [], end_of_word_suffix: '' } } }],
])('%s', (message, files) => {
  expect(() => CLIPTokenizer.from(files)).toThrow(CheckpointError)
  expect(() => CLIPTokenizer.from(files)).toThrow(message)
})
