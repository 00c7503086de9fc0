import { readFileSync } from 'node:fs'
import type { Tensor } from '@antipode/core'
import { randomParameters } from '@antipode/core/nn'
import { FakeHost, interpret } from '@antipode/core/testing'
import { type CLIPTextConfig, CLIPTextModel, CLIPTokenizer } from '@antipode/models'
import { expect, test } from 'vitest'
import { chunksFor, contextFrom, encode, firstChunks, type PromptSyntax, tokensOf } from './index.ts'

const file = (path: string): string => readFileSync(new URL(`../../test/sd/${path}`, import.meta.url), 'utf8')
const json = (path: string): object => JSON.parse(file(path)) as object // files of the fixture
const tokenizer = CLIPTokenizer.from({
  vocab: json('tokenizer/vocab.json'),
  merges: file('tokenizer/merges.txt'),
  config: json('tokenizer/tokenizer_config.json'),
})
const encoder = new CLIPTextModel(
  randomParameters(new FakeHost(), { seed: 1 }),
  json('text_encoder/config.json') as CLIPTextConfig,
)

function contextOf(prompts: readonly string[], syntax: PromptSyntax, chunks?: number): Tensor {
  const tokens = tokensOf(tokenizer, prompts, syntax, chunks ?? chunksFor(tokenizer, prompts, syntax))
  return contextFrom(encode(encoder, tokens).lastHiddenState, tokens)
}

const width = 16

test('a prompt without weights that is not too long is read as it is, to the last bit', () => {
  const [plain, weighted, once] = interpret([
    contextOf(['a photo of the cat'], 'plain'),
    contextOf(['a photo of the cat'], 'weighted'),
    contextOf(['a photo of (the:1) cat'], 'weighted'),
  ])
  expect(weighted).toEqual(plain)
  expect(once).toEqual(plain)
})

test('states are multiplied by the weights of their tokens, and their mean stays', () => {
  const [plain, weighted] = interpret([contextOf(['a photo of the cat'], 'plain'), contextOf(['a photo of (the cat:1.5)'], 'weighted')])
  // Begin, "a", "photo", "of", then two tokens that count more.
  const scaled = plain!.map((v, i) => v * ([4, 5].includes(Math.floor(i / width)) ? 1.5 : 1))
  const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length
  const factor = mean(plain!) / mean(scaled)
  weighted!.forEach((v, i) => { expect(v).toBeCloseTo(scaled[i]! * factor, 10) })
})

test('a long prompt goes on in chunks of its own, and shorter ones beside it have empty ones', () => {
  const long = 'the cat '.repeat(50).trim() // 100 tokens
  expect([chunksFor(tokenizer, [long], 'weighted'), chunksFor(tokenizer, [long], 'plain'), chunksFor(tokenizer, [''], 'weighted')]).toEqual([2, 1, 1])
  const both = contextOf([long, 'the cat'], 'weighted')
  expect(both.shape).toEqual([2, 154, width])
  const [all, first, short, empty] = interpret([
    both,
    contextOf([long], 'plain'),
    contextOf(['the cat'], 'plain'),
    contextOf([''], 'plain'),
  ])
  const chunk = 77 * width
  // The first chunk is what is left of it where it is cut; 75 tokens end after "the".
  expect(all!.slice(0, chunk)).toEqual(first)
  expect(all!.slice(2 * chunk, 3 * chunk)).toEqual(short)
  expect(all!.slice(3 * chunk)).toEqual(empty)
})

test('prompts are pooled by their first chunk', () => {
  const tokens = tokensOf(tokenizer, ['the cat', 'a photo'], 'weighted', 2)
  const { pooled } = encode(encoder, tokens)
  const [all, first] = interpret([pooled, firstChunks(pooled, tokens)])
  expect(first).toEqual(Float64Array.of(...all!.slice(0, width), ...all!.slice(2 * width, 3 * width)))
})
