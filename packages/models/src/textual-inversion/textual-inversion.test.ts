import { CheckpointError, ConfigError, ShapeError, type Tensor, tensor } from '@antipode/core'
import { encodeSafetensors, readSafetensors } from '@antipode/core/io'
import { randomParameters } from '@antipode/core/nn'
import { FakeHost, interpret, waves } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { type CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection } from '../clip/index.ts'
import { vocabulary } from '../testing/index.ts'
import { CLIPTokenizer } from '../tokenizers/index.ts'
import golden from '../tokenizers/clip-tokenizer.golden.json' with { type: 'json' }
import { addTextualInversion, readTextualInversion } from './index.ts'

const host = new FakeHost()
const vocab = vocabulary(golden.merges)
const size = Object.keys(vocab).length
const config: CLIPTextConfig = {
  vocab_size: size, hidden_size: 4, intermediate_size: 6, num_hidden_layers: 1, num_attention_heads: 2,
  eos_token_id: size - 1,
}
const tokenizer = CLIPTokenizer.from({ vocab, merges: golden.merges.join('\n') })
const model = new CLIPTextModel(randomParameters(host, { seed: 1 }), config)
const rows = (name: string, n: number): Tensor => waves(host, name, [n, 4], 0, 1)
const ids = (values: readonly number[]): Tensor => tensor(host, values, [1, values.length], { dtype: 'i32' })
const numbers = (t: Tensor): number[] => [...interpret([t])[0] ?? []]

test('learned words have the ids that diffusers gives for them', () => {
  const { words, texts, ids: wanted } = golden.learned
  let encoder = { tokenizer, model }
  for (const [word, n] of words as [string, number][]) encoder = addTextualInversion(encoder, word, rows(word, n))
  texts.forEach((text, i) => { expect(encoder.tokenizer.encode(text), text).toEqual(wanted[i]) })
  expect(encoder.model.tokens).toBe(size + words.reduce((sum, [, n]) => sum + Number(n), 0))
  // What was given stays as it was.
  expect([model.tokens, tokenizer.has('<cat-toy>'), encoder.tokenizer.has('<CAT-toy>')]).toEqual([size, false, true])
})

test('a grown tower reads the rows, those of its table as before, and copies no table', () => {
  const one = addTextualInversion({ tokenizer, model }, '<a>', rows('a', 2))
  const { tokenizer: both, model: grown } = addTextualInversion(one, '<b>', rows('b', 1))
  const { embeddings } = grown.textModel
  expect(both.encode('the <a> <b>')).toEqual([...tokenizer.encode('the'), size, size + 1, size + 2])
  const got = numbers(embeddings.tokenEmbedding.forward(ids([3, size + 2, size, 7, size + 1])))
  const table = [...interpret([model.textModel.embeddings.tokenEmbedding.forward(ids([3, 7]))])[0]!]
  const [a, b] = [numbers(rows('a', 2)), numbers(rows('b', 1))]
  expect(got).toEqual([...table.slice(0, 4), ...b, ...a.slice(0, 4), ...table.slice(4), ...a.slice(4)])
  const tables = [model, grown].map((m) => m.parameters().filter(({ shape }) => shape[0] === size))
  expect(tables[1]).toEqual([tables[0]![0]])
  expect(grown.parameterCount).toBe(model.parameterCount + 3 * 4)
})

test('a prompt with a learned word ends where it ends, also by the rule of old files', () => {
  const prompt = [size - 2, 5, size + 1, 6, size - 1, 0]
  const outputs = [size - 1, 2].map((eos) => {
    const own = { ...config, eos_token_id: eos, projection_dim: 3 }
    const old = new CLIPTextModelWithProjection(randomParameters(host, { seed: 2 }), own)
    return numbers(old.withTokens(rows('a', 2)).forward(ids(prompt)).textEmbeds!)
  })
  expect(outputs[1]).toEqual(outputs[0])
})

type Shapes = Readonly<Record<string, readonly number[]>>

/** A file of tensors that count. */
const file = (shapes: Shapes): Uint8Array<ArrayBuffer> => encodeSafetensors(Object.entries(shapes).map(([name, shape]) => {
  const length = shape.reduce((a, b) => a * b, 1)
  return { name, dtype: 'F32', shape, data: Float32Array.from({ length }, (_, i) => i) }
}))

test.each<[string, Shapes, string, readonly (readonly number[])[]]>([
  ['diffusers, one vector', { '<toy>': [4] }, '<toy>', [[1, 4]]],
  ['diffusers, three', { '<toy>': [3, 4] }, '<toy>', [[3, 4]]],
  ['A1111', { emb_params: [2, 4] }, 'other', [[2, 4]]],
  ['A1111, as torch saves it', { '*': [2, 4] }, 'other', [[2, 4]]],
  ['Stable Diffusion XL', { clip_g: [2, 6], clip_l: [2, 4] }, 'other', [[2, 4], [2, 6]]],
  ['trainers of Stable Diffusion XL', { text_encoders_0: [1, 4], text_encoders_1: [1, 6] }, 'other', [[1, 4], [1, 6]]],
])('a file of %s is read', async (_, tensors, token, shapes) => {
  await using open = await readSafetensors(file(tensors))
  const read = await readTextualInversion(host, open, token === 'other' ? { token } : {})
  expect(read.token).toBe(token)
  expect(read.rows.map(({ shape }) => shape)).toEqual(shapes)
  expect(numbers(read.rows[0]!)).toEqual(numbers(read.rows[0]!).map((_, i) => i))
})

test('what is no learned word is refused, and so is one of another model', async () => {
  const read = async (shapes: Shapes): Promise<unknown> => {
    await using open = await readSafetensors(file(shapes))
    return readTextualInversion(host, open)
  }
  await expect(read({ a: [4], b: [4] })).rejects.toThrow(new CheckpointError(
    'readTextualInversion: expected emb_params, clip_l and clip_g, or one tensor that is named as its word, got a file ' +
      'of 2 tensors unknown here ("a", "b", …); pass a file of textual inversion',
  ))
  await expect(read({ emb_params: [1, 4] })).rejects.toThrow(ConfigError)
  await expect(read({ '*': [1, 4] })).rejects.toThrow('expected a token, as the file does not name its word')
  await expect(read({ '<toy>': [1, 2, 2] })).rejects.toThrow('rows of F32, F16 or BF16 for <toy>, got F32 [1,2,2]')
  expect(() => addTextualInversion({ tokenizer, model }, '<toy>', waves(host, 'x', [1, 6], 0, 1))).toThrow(ShapeError)
  const { tokenizer: known } = addTextualInversion({ tokenizer, model }, '<toy>', rows('toy', 1))
  expect(() => known.withToken('<TOY>', [1])).toThrow("expected the token to be a word that is not there yet, got '<TOY>'")
})
