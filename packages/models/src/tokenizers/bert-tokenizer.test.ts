import { CheckpointError, ConfigError } from '@antipode/core'
import { expect, test } from 'vitest'
import golden from './bert-tokenizer.golden.json' with { type: 'json' }
import { BertTokenizer, type BertTokenizerFiles, readBertTokenizer } from './index.ts'

const { texts, length } = golden
const vocab = `${golden.vocab.join('\n')}\n`
const ids = Object.fromEntries(golden.vocab.map((word, id) => [word, id]))

/** The files of a golden run, with the vocabulary put back. */
function filesOf({ tokenizer, ...rest }: (typeof golden.kinds)[number]['files']): BertTokenizerFiles {
  if (!tokenizer) return { ...rest, vocab }
  return { ...rest, tokenizer: { ...tokenizer, model: { ...tokenizer.model, vocab: ids } } }
}

test.each(golden.kinds)('ids are those of transformers: $name', ({ files, ids: want }) => {
  const tokenizer = BertTokenizer.from(filesOf(files))
  texts.forEach((text, i) => {
    const own = want[i]!
    expect(tokenizer.encode(text), text).toEqual(own)
    const row = [tokenizer.cls, ...own.slice(0, length - 2), tokenizer.sep]
    const padded = [...row, ...new Array<number>(length - row.length).fill(tokenizer.pad)]
    expect(tokenizer.padded(text, length), text).toEqual({ ids: padded, truncated: own.length > length - 2 })
  })
})

test('a folder has either kind of file, and lines may end as Windows ends them', async () => {
  const [first] = golden.kinds
  const read = (files: Readonly<Record<string, string>>): Promise<BertTokenizer> =>
    readBertTokenizer({ text: (file) => Promise.resolve(files[file]) })
  const { tokenizer: whole } = filesOf(golden.kinds[1]!.files)
  const kinds = [{ 'vocab.txt': vocab.replaceAll('\n', '\r\n') }, { 'tokenizer.json': JSON.stringify(whole) }]
  for (const files of kinds) {
    const tokenizer = await read(files)
    expect(texts.map((text) => tokenizer.encode(text))).toEqual(first!.ids)
  }
  await expect(read({ 'tokenizer.json': '<html>' })).rejects.toThrow('expected tokenizer.json to be JSON, got "<html>"')
})

const normalizer = { type: 'BertNormalizer' }

test.each<[string, BertTokenizerFiles]>([
  ['expected tokenizer.json or vocab.txt, got neither', {}],
  ["expected the special token '[SEP]' in the vocabulary", { vocab: vocab.replace('[SEP]', '[sep]') }],
  ['expected tokenizer_config.json to hold an object', { vocab, config: 3 }],
  ["got 'BPE' with 'BertNormalizer'", { tokenizer: { model: { type: 'BPE', vocab: {} }, normalizer } }],
  ['the normalizer in tokenizer.json to hold an object, got null', { tokenizer: { model: {}, normalizer: null } }],
  ["got 'x' for 'a'", { tokenizer: { model: { type: 'WordPiece', vocab: { a: 'x' } }, normalizer } }],
])('%s', (message, files) => {
  expect(() => BertTokenizer.from(files)).toThrow(CheckpointError)
  expect(() => BertTokenizer.from(files)).toThrow(message)
})

test('a text is padded to 2 tokens or more', () => {
  expect(() => BertTokenizer.from({ vocab }).padded('a', 1)).toThrow(ConfigError)
})
