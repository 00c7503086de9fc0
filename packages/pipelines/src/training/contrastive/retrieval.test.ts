import { ConfigError, tensor } from '@antipode/core'
import { randomParameters } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { type CLIPTextConfig, CLIPTokenizer, trainClipTokenizer } from '@antipode/models'
import { clipReward, clipTowers, type ClipTowers } from '@antipode/rewards'
import { expect, test } from 'vitest'
import type { SquarePictures } from '../squares/index.ts'
import { retrieval, type RetrievalOptions, trainClip } from './index.ts'
import { shapes, side, smallClip } from './testing/shapes.ts'

const host = new FakeHost()
const data = firstOf(4)
const models = smallClip(host, data)
const texts = data.captions.flat()

/** The first of the shapes. */
function firstOf(count: number): SquarePictures {
  const { pictures, captions } = shapes()
  return { pictures: pictures.slice(0, count * 3 * side * side), side, captions: captions.slice(0, count) }
}

test('among all captions it is the share of pictures whose own is near enough, as the reward of CLIP scores them', async () => {
  const score = clipReward(models)
  const ids = tensor(host, texts.flatMap((text) => models.tokenizer.padded(text).ids), [texts.length, 8], { dtype: 'i32' })
  const ranks: number[] = []
  for (const [place, own] of data.captions.entries()) {
    const bytes = data.pictures.subarray(place * 3 * side * side, (place + 1) * 3 * side * side)
    const pixels = Float32Array.from(bytes, (v) => v / 255)
    const picture = tensor(host, pixels, [1, 3, side, side])
    const scores = await score(picture.expand([texts.length, 3, side, side]), ids).data()
    const wanted = scores[texts.indexOf(own[0]!)]!
    ranks.push(texts.filter((text, i) => text === own[0] || !own.includes(text) && scores[i]! >= wanted).length)
  }
  expect(new Set(ranks).size).toBeGreaterThan(1)
  for (const top of new Set([1, ...ranks, ...ranks.map((rank) => rank + 1)])) {
    const share = ranks.filter((rank) => rank <= top).length / 4
    expect(await retrieval(models, data, { among: 7, top })).toBe(share)
  }
})

test('it does not depend on how many are seen at once, and other captions depend on the seed', async () => {
  const share = (options: Partial<RetrievalOptions>): Promise<number> => retrieval(models, data, { among: 4, ...options })
  const whole = await share({})
  expect(await share({ batch: 3 })).toBe(whole)
  expect(await share({ top: 4 })).toBe(1)
  const seeds = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => share({ among: 2, seed })))
  expect(new Set(seeds).size).toBeGreaterThan(1)
})

test('towers that see no difference find nothing', async () => {
  using blank = smallClip(host, data)
  for (const t of blank.text.parameters()) t.write(new Float32Array(t.size))
  expect(await retrieval(blank, data, { among: 7, top: 6 })).toBe(0)
})

test('pictures of one caption are no negatives of each other in training', async () => {
  using alike = smallClip(host, data)
  const one = { ...data, captions: data.captions.map(() => ['a shape']) }
  for await (const { loss, metrics } of trainClip(alike, one, { steps: 1, batch: 3 })) {
    expect(loss).toBeCloseTo(0, 6)
    expect(metrics['accuracy']).toBe(1)
  }
  using partly = smallClip(host, data)
  const two = { ...data, captions: data.captions.map((_, i) => [i < 2 ? 'a shape' : 'no shape']) }
  for await (const { loss } of trainClip(partly, two, { steps: 1, batch: 4 })) expect(loss).toBeGreaterThan(0.1)
})

const wrong = { ...data, captions: data.captions.map((own, i) => (i === 2 ? [] : own)) }
const tokenizer = (vocabularySize: number, maxLength: number): CLIPTokenizer =>
  CLIPTokenizer.from(trainClipTokenizer(texts, { vocabularySize, maxLength }))
const towers = (text: CLIPTextConfig, dtype: 'f32' | 'f16' = 'f32'): ClipTowers => {
  const tower = { hidden_size: 8, intermediate_size: 8, num_hidden_layers: 1, num_attention_heads: 1, projection_dim: 8 }
  return clipTowers(randomParameters(host, { seed: 1, dtype }), {
    text: { ...tower, max_position_embeddings: 8, ...text }, vision: { ...tower, image_size: side, patch_size: 8 },
  })
}
test.each<[string, () => Promise<unknown>]>([
  ['retrieval: expected max_position_embeddings of 9 or more, as prompts are long, got 8', () => (
    retrieval({ ...models, tokenizer: tokenizer(540, 9) }, data, { among: 2 })
  )],
  ["expected eos_token_id 519, the tokenizer's, by which prompts are pooled, got 531", () => (
    retrieval({ ...models, tokenizer: tokenizer(520, 8) }, data, { among: 2 })
  )],
  ["expected vocab_size above 519, the tokenizer's end, got 519", () => (
    retrieval({ ...towers({ vocab_size: 519, eos_token_id: 2 }), tokenizer: tokenizer(520, 8) }, data, { among: 2 })
  )],
  ['trainClip: expected parameters in f32, got text_model.embeddings.token_embedding.weight in f16', () => (
    trainClip({ ...models, ...towers({ vocab_size: 532, eos_token_id: 531 }, 'f16') }, data, { steps: 1, batch: 2 }).next()
  )],
  ['retrieval: expected among to be a whole number of 2 or more', () => retrieval(models, data, { among: 1 })],
  ['expected 7 captions beside those of picture 0, got 6; lower among', () => retrieval(models, data, { among: 8 })],
  ['expected pictures with captions, got none', () => retrieval(models, { ...data, captions: [] }, { among: 2 })],
  ['expected a caption of each picture, got none of picture 2', () => retrieval(models, wrong, { among: 2 })],
  ['expected 2700 bytes, [4, 3, 15, 15], a picture for each list of captions, got 3072', () => (
    retrieval(models, { ...data, side: 15 }, { among: 2 })
  )],
  ['trainClip: expected a batch of at most 4 pictures, as many as there are, got 5', () => (
    trainClip(models, data, { steps: 1, batch: 5 }).next()
  )],
  ['trainClip: expected steps to be', () => trainClip(models, data, {} as never).next()],
])('%s', async (message, run) => {
  await expect(run()).rejects.toThrow(ConfigError)
  await expect(run()).rejects.toThrow(message)
})
