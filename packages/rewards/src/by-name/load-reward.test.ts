import { CheckpointError, concat, ConfigError, ShapeError, type Tensor, tensor } from '@antipode/core'
import { encodeSafetensors } from '@antipode/core/io'
import { type Module, placeholders } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { CLIPVisionModelWithProjection } from '@antipode/models'
import { beforeAll, expect, test } from 'vitest'
import {
  AestheticHead, aestheticReward, clipTowers, type ClipTowers, type ClipTowersConfig, compressibilityReward, hpsReward,
  imageReward, ImageRewardModel, loadClipTowers, loadImageReward, loadReward, type LoadRewardOptions, mixture,
  pickScoreReward, type RewardName,
} from '../index.ts'
import golden from '../clip-rewards.golden.json' with { type: 'json' }
import { loadHps } from './clip-rewards.ts'
import { loadImageRewardFiles } from './image-reward.ts'

const host = new FakeHost()
const [begin, end] = [52, 53]
const small = { num_hidden_layers: 1 }
const config = {
  text: { ...golden.text, ...small, vocab_size: 54, eos_token_id: end }, vision: { ...golden.vision, ...small },
} as ClipTowersConfig
/** Shapes of a file of OpenCLIP, of one layer. */
const openClip: Names = Object.entries(golden.hps.shapes as unknown as Record<string, number[]>)
  .filter(([name]) => !name.includes('resblocks.1.'))
  .map(([name, shape]) => [name, name === 'token_embedding.weight' ? [54, shape[1]!] : shape])
const blip = {
  vision: { imageSize: 28, patchSize: 7, width: 32, layers: 1, heads: 4 },
  text: { vocabulary: 60, positions: 40, width: 24, inner: 48, layers: 1, heads: 3 },
}
const picture = waves(host, 'input.image', [1, 3, 40, 52], 0.5, 0.45)
const images = concat([picture, picture.mul(0.5)])
const valuesOf = (scores: Tensor): number[] => [...interpret([scores])[0]!]

type Names = Iterable<readonly [name: string, shape: readonly number[]]>
const shapesOf = (...models: Module[]): Names =>
  models.flatMap((model) => [...model.state()].map(([name, { shape }]) => [name, shape] as const))
const waved = (shapes: Names): Map<string, Tensor> =>
  new Map(Array.from(shapes, ([name, shape]) => [name, waveParameter(host, name, shape)]))
const json = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

/** A file of weights whose numbers are waves, but for the temperature. */
async function weights(shapes: Names): Promise<Uint8Array> {
  return encodeSafetensors(await Promise.all(Array.from(shapes, async ([name, shape]) => ({
    name, dtype: 'F32' as const, shape: [...shape], data: Float32Array.from(
      name === 'logit_scale' ? [2] : await waveParameter(host, name, shape).data(),
    ),
  }))))
}

const letters = [...'abcdefghijklmnopqrstuvwxyz'].flatMap((c) => [c, `${c}</w>`])
const tokens = [...letters, '<|startoftext|>', '<|endoftext|>']
const clipTokenizer: readonly [string, Uint8Array][] = [
  ['vocab.json', json(Object.fromEntries(tokens.map((token, i) => [token, i])))],
  ['tokenizer_config.json', json({ model_max_length: 6 })],
  ['merges.txt', new TextEncoder().encode('#version: 0.2\n')],
]
const pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'cat', '##s']
const bertTokenizer = [['vocab.txt', new TextEncoder().encode(`${pieces.join('\n')}\n`)]] as const

let clip: [string, Uint8Array][]
let towers: ClipTowers
beforeAll(async () => {
  towers = clipTowers(placeholders(host), config)
  const file = await weights([...shapesOf(towers.text, towers.vision), ['logit_scale', []]])
  // Configurations of the hub say the width of the common space at the top.
  const { text: { projection_dim, ...text }, vision: { projection_dim: _, ...vision } } = config
  clip = [
    ['config.json', json({ architectures: ['CLIPModel'], projection_dim, text_config: text, vision_config: vision })],
    ['model.safetensors', file],
  ]
  await loadClipTowers(towers, waved(shapesOf(towers.text, towers.vision)))
})

/** Rows of ids, filled up to a length. */
function idsOf(rows: readonly (readonly number[])[], length: number, pad: number): Tensor {
  const filled = rows.flatMap((row) => [...row, ...Array<number>(length - row.length).fill(pad)])
  return tensor(host, filled, [rows.length, length], { dtype: 'i32' })
}
const clipIds = (...rows: number[][]): Tensor => idsOf(rows, 6, end)

test('PickScore comes from the folder of a CLIP, in its own temperature, and reads prompts as they are', async () => {
  using liked = await loadReward(host, 'pick-score', { files: new Map([...clip, ...clipTokenizer]), dtype: 'f32' })
  const condition = liked.prompts(['A b', 'c'])
  expect(Object.keys(condition)).toEqual(['pick-score'])
  const ids = clipIds([begin, 1, 3, end], [begin, 5, end])
  expect(valuesOf(condition['pick-score']!)).toEqual(valuesOf(ids))
  const want = valuesOf(pickScoreReward(towers, { logitScale: 2 })(images, ids))
  expect(valuesOf(liked.reward(images, condition))).toEqual(want)
  expect(() => liked.reward(images, {})).toThrow('pick-score: expected the ids of prompts by its name, got none')
  expect(() => liked.reward(images, liked.prompts(['a']))).toThrow(ShapeError)
})

test("HPS takes OpenCLIP's names, and its tokenizer may be elsewhere", async () => {
  const files = new Map([['HPS_v2.1_compressed.pt', await weights(openClip)]])
  const loading = { name: 'hps', device: host, files, tokenizer: new Map(clipTokenizer), dtype: 'f32' } as const
  using loaded = await loadHps(loading, config)
  const own = clipTowers(placeholders(host), config)
  await loadClipTowers(own, waved(openClip))
  const want = valuesOf(hpsReward(own)(images, clipIds([begin, 1, end], [begin, 3, end])))
  expect(valuesOf(loaded.reward(images, loaded.prompts(['a', 'b'])))).toEqual(want)
  using score = await loadReward(host, 'clip-score', { files: new Map([...clip, ...clipTokenizer]), dtype: 'f32' })
  const both = mixture([[2, loaded.reward], [0.1, score.reward]])
  const condition = { ...loaded.prompts(['a', 'b']), ...score.prompts(['a', 'b']) }
  const [a, b] = [want, valuesOf(score.reward(images, condition))]
  for (const [i, got] of valuesOf(both(images, condition)).entries()) {
    expect(Math.abs(got - 2 * a[i]! - b[i]! / 10)).toBeLessThan(1e-9)
  }
})

test('ImageReward reads prompts by the tokenizer of BERT, 35 tokens each', async () => {
  const model = new ImageRewardModel(placeholders(host), blip)
  const published = (name: string): string => name.replaceAll('.layer_norm.', '.LayerNorm.')
  const shapes = Array.from(shapesOf(model), ([name, shape]) => [published(name), shape] as const)
  const files = new Map([['ImageReward.pt', await weights(shapes)], ...bertTokenizer])
  using loaded = await loadImageRewardFiles({ name: 'image-reward', device: host, files, dtype: 'f32' }, blip)
  const condition = loaded.prompts(['a CATS', ''])
  const ids = idsOf([[2, 5, 6, 7, 3], [2, 3]], 35, 0)
  expect(valuesOf(condition['image-reward']!)).toEqual(valuesOf(ids))
  await loadImageReward(model, waved(shapes))
  expect(valuesOf(loaded.reward(images, condition))).toEqual(valuesOf(imageReward(model)(images, ids)))
})

test('the aesthetic predictor is its head on the vision tower of a CLIP, wherever that is', async () => {
  const head = AestheticHead.of(placeholders(host), { width: 24 })
  const files = new Map([['sac+logos+ava1-l14-linearMSE.pth', await weights(shapesOf(head))]])
  using loaded = await loadReward(host, 'aesthetic', { files, clip: new Map(clip), dtype: 'f32' })
  await head.load(waved(shapesOf(head)))
  expect(loaded.prompts(['a', 'b'])).toEqual({})
  expect(valuesOf(loaded.reward(images, {}))).toEqual(valuesOf(aestheticReward(towers.vision, head)(images, undefined)))
  expect(towers.vision).toBeInstanceOf(CLIPVisionModelWithProjection)
})

test('compressibility has no files', async () => {
  using loaded = await loadReward(host, 'compressibility')
  const small = waves(host, 'x', [1, 3, 16, 8], 0.5, 0.4)
  expect(valuesOf(loaded.reward(small, {}))).toEqual(valuesOf(compressibilityReward()(small, undefined)))
})

test('the wrong file is refused by name, and nothing stays on the device', async () => {
  const own = new FakeHost()
  const wrong = await weights(openClip)
  const [config] = clip
  const half = new Map([['config.json', json({ architectures: ['CLIPTextModel'] })], ['model.safetensors', wrong]])
  const tower = new Map([config!, ['model.safetensors', await weights(shapesOf(towers.text))], ...clipTokenizer])
  const head = 'sac+logos+ava1-l14-linearMSE.pth'
  const cases: readonly [RewardName, LoadRewardOptions, string][] = [
    ['hps', {}, 'expected files of hps, got none'],
    ['hps', { files: new Map([['a.pt', wrong]]) }, 'HPS_v2.1_compressed.pt or HPS_v2_compressed.pt in'],
    ['hps', { files: new Map([['a.pt', wrong], ...clipTokenizer]), weights: 'a.pt' }, 'expected the weights of hps'],
    ['hps', { files: new Map([['a.pt', wrong]]), weights: 'a.pt' }, 'the tokenizer of a CLIP in a Map of'],
    ['image-reward', { files: new Map([['ImageReward.pt', wrong], ...bertTokenizer]) }, 'the weights of image-reward'],
    ['image-reward', { files: new Map([['ImageReward.pt', wrong], ...clipTokenizer]) }, 'of bert-base-uncased'],
    ['pick-score', { files: new Map(clip) }, 'expected the tokenizer of a CLIP in a Map of files for pick-score'],
    ['pick-score', { files: tower }, 'weights of pick-score'],
    ['clip-score', { files: tower }, 'weights of clip-score'],
    ['clip-score', { files: half }, 'CLIPTextModel'],
    ['aesthetic', { files: new Map([[head, wrong], ...clip]) }, 'expected the weights of aesthetic'],
  ]
  for (const [name, options, message] of cases) {
    await expect(loadReward(own, name, options)).rejects.toThrow(CheckpointError)
    await expect(loadReward(own, name, options)).rejects.toThrow(message)
  }
  expect(own.memory().tensors).toBe(0)
  const deep = json({ architectures: ['CLIPModel'], text_config: { num_hidden_layers: 1e9 } })
  const deepClip = new Map([['config.json', deep], clip[1]!, ...clipTokenizer])
  await expect(loadReward(own, 'clip-score', { files: deepClip })).rejects.toThrow('as the file has no more tensors')
  await expect(loadReward(own, 'pickscore' as never)).rejects.toThrow(ConfigError)
  await expect(loadReward(own, 'hps', { file: 'x' } as never)).rejects.toThrow(ConfigError)
})
