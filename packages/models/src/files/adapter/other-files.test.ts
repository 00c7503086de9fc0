import { CheckpointError } from '@antipode/core'
import { encodeSafetensors } from '@antipode/core/io'
import { adapterNames, type Module, placeholders } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { CLIPTextModel, CLIPTextModelWithProjection } from '../../clip/index.ts'
import { type UNet2DConfig, UNet2DConditionModel } from '../../unet/index.ts'
import { type AdapterTargets, loadAdapter, type LoadAdapterOptions, loadOffset } from './index.ts'

type Shapes = Readonly<Record<string, readonly number[]>>

const host = new FakeHost()
const init = placeholders(host)
const config: UNet2DConfig = {
  block_out_channels: [4], norm_num_groups: 2, layers_per_block: 1, attention_head_dim: 2, in_channels: 1, out_channels: 1,
  down_block_types: ['CrossAttnDownBlock2D'], up_block_types: ['UpBlock2D'], mid_block_type: null,
}
const unetOf = (width: number): UNet2DConditionModel => new UNet2DConditionModel(init, { ...config, cross_attention_dim: width })
const text = { vocab_size: 4, hidden_size: 768, intermediate_size: 2, num_hidden_layers: 1, num_attention_heads: 1, projection_dim: 2, max_position_embeddings: 2 } as const
const sd15 = { unet: unetOf(768), text_encoder: new CLIPTextModel(init, text) }
const xl = { unet: unetOf(2048), text_encoder: sd15.text_encoder, text_encoder_2: new CLIPTextModelWithProjection(init, { ...text, hidden_size: 1280 }) }

const bytesOf = (tensors: Shapes, metadata: Readonly<Record<string, string>> = {}): Uint8Array<ArrayBuffer> => encodeSafetensors(
  Object.entries(tensors).map(([name, shape]) => ({ name, dtype: 'F32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) })), metadata,
)
const cross = 'down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k'
const self = 'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_k'
const query = 'text_model.encoder.layers.0.self_attn.q_proj'
const pair = (stem: string, inputs: number, outputs: number): Shapes => ({ [`${stem}.lora_A.weight`]: [2, inputs], [`${stem}.lora_B.weight`]: [outputs, 2] })
const kohya = (stem: string, inputs: number, outputs: number): Shapes => ({ [`${stem}.lora_down.weight`]: [2, inputs], [`${stem}.lora_up.weight`]: [outputs, 2] })
const textPair = (prefix: string, width: number): Shapes => pair(`${prefix}.${query}`, width, width)

/** Loads a file that is refused, and gives the message. Nothing may be left on the device, and no model changed. */
async function refusal(target: Module | AdapterTargets, file: Uint8Array<ArrayBuffer>, options: Partial<LoadAdapterOptions> = {}): Promise<string> {
  const before = host.memory().tensors
  const error = await loadAdapter(target, file, { name: 'a', ...options }).then(() => undefined, (reason: unknown) => reason)
  expect(error).toBeInstanceOf(CheckpointError)
  expect(host.memory().tensors).toBe(before)
  for (const model of [...Object.values(sd15), ...Object.values(xl)]) expect(adapterNames(model)).toEqual([])
  return (error as CheckpointError).message
}

test.each<[string, AdapterTargets, Shapes, string]>([
  ['XL on 1.5', sd15, { ...pair(`unet.${cross}`, 2048, 4), ...textPair('text_encoder_2', 1280) },
    'expected an adapter of a unet whose cross-attention takes tokens of width 768, as in Stable Diffusion 1, got one of 2048, as in Stable Diffusion XL; load it on such a model'],
  ['XL with SGM\'s names on 1.5', sd15, kohya('lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k', 2048, 640), 'got one of 2048, as in Stable Diffusion XL'],
  ['1.5 on XL', xl, { ...pair(`unet.${cross}`, 768, 4), ...textPair('text_encoder', 768) }, 'width 2048, as in Stable Diffusion XL, got one of 768, as in Stable Diffusion 1;'],
  ['2 on 1.5', sd15, kohya(`lora_unet_${cross.replaceAll('.', '_')}`, 1024, 4), 'got one of 1024, as in Stable Diffusion 2;'],
  ['2 on 1.5, by the text encoder', sd15, kohya(`lora_te_${query.replaceAll('.', '_')}`, 1024, 1024), 'expected an adapter of a text_encoder of width 768, as in CLIP-L, got one of 1024, as in OpenCLIP-H'],
  ['Flux on XL', xl, kohya('lora_unet_double_blocks_0_img_attn_qkv', 3072, 9216), 'expected an adapter of unet, text_encoder, text_encoder_2, got one of Flux (lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight); load it on such a model'],
  ['Flux of diffusers', xl, pair('transformer.single_transformer_blocks.0.attn.to_k', 3072, 3072), 'got one of Flux'],
  ['another transformer', sd15, pair('transformer.transformer_blocks.0.attn.to_k', 1536, 1536), 'got one of a diffusion transformer'],
  ['a whole UNet', sd15, { [`${cross}.weight`]: [4, 768], 'down_blocks.0.resnets.0.conv1.weight': [4, 4, 3, 3] }, 'expected an adapter of unet, text_encoder, got a UNet of Stable Diffusion 1; take what it adds to a model by loadOffset'],
  ['a whole pipeline', sd15, { 'model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight': [4, 1024], 'first_stage_model.encoder.conv_in.weight': [1] }, 'got a checkpoint in one file of Stable Diffusion 2; take what its UNet adds to a model by loadOffset'],
  ['an autoencoder', sd15, { 'encoder.down_blocks.0.resnets.0.conv1.weight': [4, 3, 3, 3] }, 'got an autoencoder; load it as one'],
  ['a text encoder', sd15, { [`${query}.weight`]: [768, 768] }, 'got a text encoder'],
  ['a ControlNet', sd15, { 'controlnet_cond_embedding.conv_in.weight': [4, 3, 3, 3], 'down_blocks.0.x.weight': [1] }, 'got a ControlNet'],
  ['an embedding', sd15, { emb_params: [4, 768] }, 'got an embedding of textual inversion for CLIP-L (emb_params); read it with readTextualInversion'],
  ['an embedding of XL', xl, { clip_l: [2, 768], clip_g: [2, 1280] }, 'got an embedding of textual inversion for OpenCLIP-bigG and CLIP-L (clip_g, clip_l)'],
  ['something else', sd15, { 'layer.weight': [1], 'layer.bias': [1] }, 'got a file of 2 tensors unknown here ("layer.bias", "layer.weight", …); see what the file is'],
  ['nothing', sd15, {}, 'got a file of 0 tensors'],
])('a file of %s is refused with what it is', async (_, target, tensors, message) => {
  expect(await refusal(target, bytesOf(tensors))).toContain(message)
})

test.each<[string, Shapes]>([
  ['DoRA', { 'dora_scale': [4, 1] }], ['DoRA', { 'lora_magnitude_vector': [4] }], ['LoHa', { hada_w1_a: [4, 2], hada_w2_b: [2, 4] }], ['LoKr', { lokr_w1: [2, 2], lokr_w2_a: [2, 2] }],
  ['(IA)³', { weight: [4], on_input: [] }], ['GLoRA', { 'a1.weight': [4, 2] }], ['OFT', { oft_blocks: [2, 2, 2] }], ['OFT', { 'oft_R.weight': [2, 2] }], ['LoRA with biases', { 'lora_B.bias': [4] }],
])('%s is refused by name', async (method, endings) => {
  const tensors = Object.fromEntries(Object.entries(endings).map(([ending, shape]) => [`lora_unet_${self.replaceAll('.', '_')}.${ending}`, shape]))
  const message = await refusal(sd15, bytesOf({ ...tensors, ...method === 'LoRA with biases' ? kohya(`lora_unet_${self.replaceAll('.', '_')}`, 4, 4) : {} }))
  expect(message).toContain(`expected low-rank pairs or differences, got ${method} (lora_unet_`)
  expect(message).toContain('merge it into its model with the program that trained it')
})

test('a part for a model that is not among the targets is refused, unless it is left out', async () => {
  const file = bytesOf({ ...pair(`unet.${self}`, 4, 4), ...textPair('text_encoder', 768) })
  const message = "expected a model for every part of the file, got none for its 2 tensors of text_encoder, such as text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight; pass that model too, or leave them out by skip: ['text_encoder']"
  expect(await refusal(sd15.unet, file)).toContain(message)
  expect(await refusal({ unet: sd15.unet }, file)).toContain(message)
  expect(await refusal(sd15.text_encoder, file)).toContain("skip: ['unet']")
  const [unet, encoder] = [unetOf(768), new CLIPTextModel(init, text)]
  await loadAdapter({ unet, text_encoder: encoder }, file, { name: 'a', skip: ['text_encoder'] })
  expect([adapterNames(unet), adapterNames(encoder)]).toEqual([['a'], []])
  await loadAdapter(encoder, file, { name: 'a', skip: ['unet'] })
  expect(adapterNames(encoder)).toEqual(['a'])
})

test('what fits no layer is listed, by its model', async () => {
  expect(await refusal(sd15, bytesOf({ ...pair(`unet.${self}`, 4, 4), ...pair('unet.down_blocks.7.conv', 4, 4) }))).toContain('no layer for unet.down_blocks.7.conv.lora_A.weight')
  expect(await refusal(sd15, bytesOf({ ...pair(`unet.${self}`, 4, 4), [`unet.${self}.lora_B.weight`]: [4, 3] }))).toContain(`${self} (expected lora_A.weight [2,4] and lora_B.weight [4,2], got [2,4] and [4,3])`)
  expect(await refusal(sd15, bytesOf({ ...kohya(`lora_unet_${self.replaceAll('.', '_')}`, 4, 4), ...pair(`unet.${self}`, 4, 4) }))).toContain('expected one tensor of each kind')
})

test('a file that is cut short or no safetensors is refused', async () => {
  const whole = bytesOf({ ...pair(`unet.${self}`, 4, 4), ...textPair('text_encoder', 768) })
  for (const length of [0, 7, 100, whole.length - 1]) await refusal(sd15, whole.slice(0, length))
})

test('one that fails after the first model\'s part was read leaves nothing behind', async () => {
  const file = bytesOf({ ...pair(`unet.${self}`, 4, 4), ...textPair('text_encoder', 768) })
  const upload = host.uploadBytes.bind(host)
  let left = 3
  host.uploadBytes = (...args) => {
    if (left-- === 0) throw new CheckpointError('no room')
    return upload(...args)
  }
  try {
    expect(await refusal(sd15, file)).toBe('no room')
  } finally {
    host.uploadBytes = upload
  }
})

test('an adapter, or another model, is refused where a whole model is asked for', async () => {
  const load = (tensors: Shapes): Promise<void> => {
    const other = new Map(Object.entries(tensors).map(([name, shape]) => [name, init.filled(shape, 0)]))
    return loadOffset(sd15.unet, other, { name: 'a' })
  }
  await expect(load(pair(self, 4, 4))).rejects.toThrow(`expected the weights of a whole model, got an adapter (${self}.lora_A.weight); load it by loadAdapter`)
  await expect(load({ [`${cross}.weight`]: [4, 2048] })).rejects.toThrow('expected weights of a model whose cross-attention takes tokens of width 768, as in Stable Diffusion 1, got those of one of 2048, as in Stable Diffusion XL')
  await expect(load({ 'conv_in.weight': [4, 1, 3, 3] })).rejects.toThrow(CheckpointError)
})
