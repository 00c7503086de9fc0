import { expect, test } from 'vitest'
import { CheckpointError, ConfigError } from '@antipode/core'
import { encodeSafetensors, type SafetensorsEntry } from '@antipode/core/io'
import { placeholders } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { AutoencoderKL } from '../autoencoder/index.ts'
import { CLIPTextModel, CLIPTextModelWithProjection } from '../clip/index.ts'
import { autoencoderKL, clipTextModel, unet2DCondition } from '../registry/index.ts'
import { UNet2DConditionModel } from '../unet/index.ts'
import { type Family, identify, openCheckpoint } from './index.ts'
import { originalPipeline } from './original.ts'
import { openClip, originals, type Shapes, smallOriginal, sourceOf } from './testing/index.ts'

const init = placeholders(new FakeHost())
const families = Object.keys(originals) as Family[] // keys of a literal object

const classes = {
  unet: UNet2DConditionModel, vae: AutoencoderKL, text_encoder: CLIPTextModel,
  text_encoder_2: CLIPTextModelWithProjection,
}

test.each(families)('%s in one file is recognised, and has the configurations of its repository', async (family) => {
  const want = originals[family]()
  const state = sourceOf(want.file)
  const identity = identify(state)
  expect(identity).toMatchObject({ kind: 'checkpoint', names: 'original', family })
  const prediction = family === 'sd2' ? 'v_prediction' : 'epsilon'
  const opened = originalPipeline(state, identity, family === 'sd2' ? prediction : undefined, { tokenizer: undefined })
  const { components } = opened
  expect(opened.className).toBe(want.className)
  expect(components.get('unet')?.config).toEqual(want.unet)
  expect(components.get('vae')?.config).toEqual(want.vae)
  expect(components.get('text_encoder')?.config).toEqual(want.text)
  expect(components.get('text_encoder_2')?.config).toEqual(want.text2)
  expect(components.get('scheduler')).toMatchObject({
    className: want.scheduler,
    config: {
      beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear', steps_offset: 1,
      prediction_type: prediction,
    },
  })
  // Every model finds each of its tensors, and no other, in its shape.
  for (const [name, Model] of Object.entries(classes)) {
    const component = components.get(name)
    if (!component) continue
    const weights = await component.weights()
    const found = Array.from(weights.names(), (one) => `${one} ${weights.info(one)?.shape.join()}`)
    const own = Array.from(new Model(init, component.config).state(), ([one, { shape }]) => `${one} ${shape.join()}`)
    expect(found.toSorted()).toEqual(own.toSorted())
  }
})

/** A file of tensors of these shapes, each with its own number. */
const file = (shapes: Shapes, metadata?: Record<string, string>): Uint8Array<ArrayBuffer> =>
  encodeSafetensors(Array.from(shapes, ([name, shape], i): SafetensorsEntry =>
    ({ name, dtype: 'F32', shape, data: new Float32Array(shape.reduce((n, size) => n * size, 1)).fill(i) })), metadata)

const parts = [['unet', unet2DCondition], ['vae', autoencoderKL], ['text_encoder', clipTextModel]] as const

test('a small checkpoint in one file loads into its models', async () => {
  const tokenizer = new Map([['vocab.json', new TextEncoder().encode('{}')]])
  await using checkpoint = await openCheckpoint(file(smallOriginal()), { tokenizer })
  expect([...checkpoint.components.keys()]).toEqual(['unet', 'vae', 'text_encoder', 'tokenizer', 'scheduler'])
  for (const [name, entry] of parts) {
    const { config, weights } = checkpoint.component(name)
    const state = await weights()
    const model = entry.build(init, config, [...state.names()].length)
    await model.load(entry.names?.(state) ?? state)
  }
  const { text } = checkpoint.component('tokenizer')
  expect(await text('vocab.json')).toBe('{}')
  expect(JSON.parse(await text('tokenizer_config.json') ?? '')).toMatchObject({ pad_token: '<|endoftext|>' })
})

test('a checkpoint in one file has no tokenizer, and says what to pass', async () => {
  await using checkpoint = await openCheckpoint(file(smallOriginal()))
  await expect(checkpoint.component('tokenizer').text('vocab.json'))
    .rejects.toThrow('pass tokenizer: a folder with vocab.json and merges.txt')
})

test('nine channels are inpainting, others are refused', async () => {
  expect((await openCheckpoint(file(smallOriginal(9)))).className).toBe('StableDiffusionInpaintPipeline')
  await expect(openCheckpoint(file(smallOriginal(8)))).rejects.toThrow(
    'or 9 for inpainting, got a checkpoint in one file of Stable Diffusion 1 that takes 8 channels',
  )
})

/** The small checkpoint with the text encoder of Stable Diffusion 2. */
const second: Shapes = new Map([
  ...[...smallOriginal()].filter(([name]) => !name.startsWith('cond_stage_model')),
  ...openClip('cond_stage_model.model.', { width: 64, inner: 12, layers: 2, vocabulary: 16, positions: 5 }),
])

test('what a UNet predicts is told by the caller, the header or a tensor', async () => {
  const predicted = async (shapes: Shapes, metadata?: Record<string, string>): Promise<unknown> =>
    (await openCheckpoint(file(shapes, metadata))).component('scheduler').config['prediction_type']
  expect(await predicted(smallOriginal())).toBe('epsilon')
  expect(await predicted(smallOriginal(), { 'modelspec.prediction_type': 'v' })).toBe('v_prediction')
  expect(await predicted(new Map([...smallOriginal(), ['v_pred', []]]))).toBe('v_prediction')
})

test('Stable Diffusion 2 asks for what its UNet predicts, and fills prompts up with token 0', async () => {
  await expect(openCheckpoint(file(second)))
    .rejects.toThrow("pass predictionType: 'v_prediction' for those of 768 pixels, 'epsilon' for those of 512")
  const told = await openCheckpoint(file(second), { predictionType: 'epsilon', tokenizer: new Map() })
  expect(told.component('scheduler').className).toBe('PNDMScheduler')
  const config = await told.component('tokenizer').text('tokenizer_config.json')
  expect(JSON.parse(config ?? '')).toMatchObject({ pad_token: '!' })
})

const below = (prefix: string): Shapes => new Map([...smallOriginal()].flatMap(([name, shape]) =>
  (name.startsWith(prefix) ? [[name.slice(prefix.length), shape]] : [])))

test.each([
  ['model.diffusion_model.', 'unet', 'UNet2DConditionModel'], ['first_stage_model.', 'vae', 'AutoencoderKL'],
])('what is below %s alone in a file is recognised', async (prefix, name, className) => {
  const alone = await openCheckpoint(file(below(prefix)))
  expect([alone.className, ...alone.components.keys()]).toEqual([className, name])
})

const headless = new Map([...smallOriginal()].filter(([name]) => !name.startsWith('first_stage')))
const one = (name: string, ...shape: number[]): Shapes => new Map([[name, shape]])

test.each<[what: string, shapes: Shapes, message: string]>([
  ['a checkpoint without its autoencoder', headless, 'got one without an autoencoder; take the whole checkpoint'],
  [
    'a LoRA', one('lora_unet_mid_block_attentions_0_proj_in.lora_down.weight', 4, 4),
    'got a LoRA; open the checkpoint that it is for, and load this on it with loadAdapter',
  ],
  ['a LoRA of XL', one('lora_te2_text_model_encoder_layers_0_mlp_fc1.alpha'), 'got a LoRA for Stable Diffusion XL'],
  [
    'a LoRA of 1.5', one('unet.mid_block.attentions.0.attn2.processor.to_k_lora.down.weight', 4, 768),
    'got a LoRA for Stable Diffusion 1;',
  ],
  ['a LoRA of PEFT', one('base_model.model.to_q.lora_A.weight', 4, 4), 'got a LoRA'],
  [
    'a model of diffusers', one('down_blocks.0.resnets.0.conv1.weight', 4, 4, 3, 3),
    'got a UNet; pass its folder, with its config.json',
  ],
  ['a ControlNet', one('control_model.time_embed.0.weight', 4, 4), 'got a ControlNet'],
  ['an embedding', one('emb_params', 1, 768), 'got an embedding of textual inversion'],
  ['another model', one('double_blocks.0.img_attn.norm.scale', 4), 'got a model of Flux; check which file it is'],
  ['anything', new Map([['a', [1]], ['b', [1]]]), 'got a file of 2 tensors unknown here ("a", "b", …)'],
])('%s is told for what it is', async (_, shapes, message) => {
  await expect(openCheckpoint(file(shapes))).rejects.toThrow(CheckpointError)
  await expect(openCheckpoint(file(shapes))).rejects.toThrow(message)
})

test('options that say nothing of a source are refused', async () => {
  await expect(openCheckpoint(file(smallOriginal()), { variant: 'fp16' })).rejects.toThrow(ConfigError)
  await expect(openCheckpoint(new Map(), { predictionType: 'epsilon' }))
    .rejects.toThrow('expected no predictionType for a checkpoint in a folder')
})
