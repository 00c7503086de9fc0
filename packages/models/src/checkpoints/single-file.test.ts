import { expect, test } from 'vitest'
import { CheckpointError, ConfigError } from '@antipode/core'
import { encodeSafetensors, type SafetensorsEntry } from '@antipode/core/io'
import { type Module, placeholders } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { AutoencoderKL, type AutoencoderKLConfig } from '../autoencoder/index.ts'
import { type CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection } from '../clip/index.ts'
import { ldmUNetNames, ldmVaeNames } from '../keymaps/index.ts'
import { autoencoderKL, clipTextModel, unet2DCondition } from '../registry/index.ts'
import { type UNet2DConfig, UNet2DConditionModel } from '../unet/index.ts'
import { type Family, identify, openCheckpoint } from './index.ts'
import { originalPipeline } from './original.ts'

const init = placeholders(new FakeHost())
type Shapes = Map<string, readonly number[]>

const shapesOf = (model: Module, prefix: string, names?: (all: Iterable<string>) => Map<string, string>): Shapes => {
  const state = model.state()
  const original = names?.(state.keys())
  return new Map(Array.from(state, ([name, { shape }]) => {
    const theirs = prefix + (original?.get(name) ?? name)
    return [theirs, /\.attn_1\.(q|k|v|proj_out)\.weight$/.test(theirs) ? [...shape, 1, 1] : shape]
  }))
}

/** The tensors of OpenCLIP's text tower. */
function openClip(prefix: string, { width, inner, layers, vocabulary = 49_408, positions = 77 }: Record<'width' | 'inner' | 'layers', number> & Partial<Record<'vocabulary' | 'positions', number>>): Shapes {
  const layer = (i: number): [string, number[]][] => Object.entries({
    'ln_1.weight': [width], 'ln_1.bias': [width], 'ln_2.weight': [width], 'ln_2.bias': [width], 'attn.in_proj_weight': [3 * width, width],
    'attn.in_proj_bias': [3 * width], 'attn.out_proj.weight': [width, width], 'attn.out_proj.bias': [width], 'mlp.c_fc.weight': [inner, width],
    'mlp.c_fc.bias': [inner], 'mlp.c_proj.weight': [width, inner], 'mlp.c_proj.bias': [width],
  }).map(([name, shape]) => [`transformer.resblocks.${i}.${name}`, shape])
  const all: [string, number[]][] = [
    ['positional_embedding', [positions, width]], ['token_embedding.weight', [vocabulary, width]], ['ln_final.weight', [width]],
    ['ln_final.bias', [width]], ['text_projection', [width, width]], ['logit_scale', []], ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
  ]
  return new Map(all.map(([name, shape]) => [prefix + name, shape]))
}

const three = Array<'DownEncoderBlock2D'>(4).fill('DownEncoderBlock2D')
const vae: AutoencoderKLConfig = {
  in_channels: 3, out_channels: 3, latent_channels: 4, block_out_channels: [128, 256, 512, 512], layers_per_block: 2, down_block_types: three,
  up_block_types: three.map(() => 'UpDecoderBlock2D'), use_quant_conv: true, use_post_quant_conv: true, mid_block_add_attention: true,
}
const early = {
  in_channels: 4, out_channels: 4, block_out_channels: [320, 640, 1280, 1280], layers_per_block: 2, transformer_layers_per_block: 1,
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
} satisfies UNet2DConfig
const late = { in_channels: 4, out_channels: 4, layers_per_block: 2, use_linear_projection: true } satisfies UNet2DConfig
const xl = { addition_embed_type: 'text_time', addition_time_embed_dim: 256, sample_size: 128 } satisfies UNet2DConfig

// As the repositories of the models have them, but for fields that change nothing.
const unets: Record<Family, UNet2DConfig> = {
  sd1: { ...early, cross_attention_dim: 768, attention_head_dim: 8, use_linear_projection: false, sample_size: 64 },
  sd2: { ...early, ...late, cross_attention_dim: 1024, attention_head_dim: [5, 10, 20, 20], sample_size: 96 },
  sdxl: {
    ...late, ...xl, block_out_channels: [320, 640, 1280], attention_head_dim: [5, 10, 20], transformer_layers_per_block: [1, 2, 10],
    down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
    up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'], cross_attention_dim: 2048, projection_class_embeddings_input_dim: 2816,
  },
  'sdxl-refiner': {
    ...late, ...xl, block_out_channels: [384, 768, 1536, 1536], attention_head_dim: [6, 12, 24, 24], transformer_layers_per_block: [1, 4, 4, 4],
    down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
    up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'], cross_attention_dim: 1280, projection_class_embeddings_input_dim: 2560,
  },
}
const openAI: CLIPTextConfig = { vocab_size: 49_408, hidden_size: 768, intermediate_size: 3072, num_hidden_layers: 12, num_attention_heads: 12, max_position_embeddings: 77 }
const tokens = { layer_norm_eps: 1e-5, bos_token_id: 0, eos_token_id: 2, pad_token_id: 1 }
const huge = { width: 1024, inner: 4096, layers: 24 }
const bigG = { width: 1280, inner: 5120, layers: 32 }
const texts: Record<Family, Shapes> = {
  sd1: shapesOf(new CLIPTextModel(init, openAI), 'cond_stage_model.transformer.'),
  sd2: openClip('cond_stage_model.model.', huge),
  sdxl: new Map([...shapesOf(new CLIPTextModel(init, openAI), 'conditioner.embedders.0.transformer.'), ...openClip('conditioner.embedders.1.model.', bigG)]),
  'sdxl-refiner': openClip('conditioner.embedders.0.model.', bigG),
}
const wanted = {
  sd1: { className: 'StableDiffusionPipeline', scheduler: 'PNDMScheduler', vae: { sample_size: 512, scaling_factor: 0.18215 }, text: { ...openAI, ...tokens, hidden_act: 'quick_gelu' } },
  sd2: {
    className: 'StableDiffusionPipeline', scheduler: 'DDIMScheduler', vae: { sample_size: 768, scaling_factor: 0.18215 },
    text: { ...openAI, ...tokens, hidden_act: 'gelu', hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 23, num_attention_heads: 16 },
  },
  sdxl: { className: 'StableDiffusionXLPipeline', scheduler: 'EulerDiscreteScheduler', vae: { sample_size: 1024, scaling_factor: 0.13025, force_upcast: true }, text: { ...openAI, ...tokens, hidden_act: 'quick_gelu' } },
  'sdxl-refiner': { className: 'StableDiffusionXLImg2ImgPipeline', scheduler: 'EulerDiscreteScheduler', vae: { sample_size: 1024, scaling_factor: 0.13025, force_upcast: true }, text: undefined },
} as const

const sourceOf = (shapes: Shapes) => ({
  names: () => shapes.keys(),
  info: (name: string) => { const shape = shapes.get(name); return shape && { shape, dtype: 'F16', reads: ['f32' as const] } },
  read: () => Promise.reject(new CheckpointError('nothing is read')),
})

test.each(Object.keys(unets) as Family[])('%s in one file is recognised, and has the components and configurations of its repository', async (family) => {
  const file = new Map([
    ...shapesOf(new UNet2DConditionModel(init, unets[family]), 'model.diffusion_model.', ldmUNetNames),
    ...shapesOf(new AutoencoderKL(init, vae), 'first_stage_model.', ldmVaeNames), ...texts[family],
    ['model_ema.decay', []], ['alphas_cumprod', [1000]], ['betas', [1000]],
  ] as [string, readonly number[]][])
  const state = sourceOf(file)
  expect(identify(state)).toMatchObject({ kind: 'checkpoint', names: 'original', family })
  const opened = originalPipeline(state, identify(state), family === 'sd2' ? 'v_prediction' : undefined, { tokenizer: undefined })
  const want = wanted[family]
  const { components } = opened
  expect(opened.className).toBe(want.className)
  expect(components.get('unet')?.config).toEqual(unets[family])
  expect(components.get('vae')?.config).toEqual({ ...vae, ...want.vae })
  expect(components.get('scheduler')).toMatchObject({ className: want.scheduler, config: { beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear', steps_offset: 1 } })
  expect(components.get('scheduler')?.config['prediction_type']).toBe(family === 'sd2' ? 'v_prediction' : 'epsilon')
  if (want.text) expect(components.get('text_encoder')?.config).toEqual(want.text)
  const second = components.get('text_encoder_2')
  expect(second?.className).toBe(family.startsWith('sdxl') ? 'CLIPTextModelWithProjection' : undefined)
  if (second) expect(second.config).toEqual({ ...openAI, ...tokens, hidden_act: 'gelu', hidden_size: 1280, intermediate_size: 5120, num_hidden_layers: 32, num_attention_heads: 20, projection_dim: 1280 })
  // Every model finds each of its tensors, and no other, in its shape.
  const classes = { unet: UNet2DConditionModel, vae: AutoencoderKL, text_encoder: CLIPTextModel, text_encoder_2: CLIPTextModelWithProjection }
  for (const [name, Model] of Object.entries(classes)) {
    const component = components.get(name)
    if (!component) continue
    const weights = await component.weights()
    const state = new Model(init, component.config).state()
    expect(new Map(Array.from(weights.names(), (one) => [one, weights.info(one)?.shape.join()]))).toEqual(new Map(Array.from(state, ([one, t]) => [one, t.shape.join()])))
  }
})

const small: UNet2DConfig = {
  block_out_channels: [32, 64], layers_per_block: 1, cross_attention_dim: 64, attention_head_dim: 8,
  down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'], up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
}
const smallVae: AutoencoderKLConfig = { block_out_channels: [32, 32], down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'], up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'] }
const smallText: CLIPTextConfig = { vocab_size: 16, hidden_size: 64, intermediate_size: 12, num_hidden_layers: 2, num_attention_heads: 1, max_position_embeddings: 5 }
const parts = (channels = 4): Shapes => new Map([
  ...shapesOf(new UNet2DConditionModel(init, { ...small, in_channels: channels }), 'model.diffusion_model.', ldmUNetNames),
  ...shapesOf(new AutoencoderKL(init, smallVae), 'first_stage_model.', ldmVaeNames),
  ...shapesOf(new CLIPTextModel(init, smallText), 'cond_stage_model.transformer.'),
])
const file = (shapes: Shapes, metadata?: Record<string, string>): Uint8Array<ArrayBuffer> => encodeSafetensors(Array.from(shapes, ([name, shape], i): SafetensorsEntry =>
  ({ name, dtype: 'F32', shape, data: new Float32Array(shape.reduce((n, size) => n * size, 1)).fill(i) })), metadata)

test('a small checkpoint in one file loads into its models', async () => {
  await using checkpoint = await openCheckpoint(file(parts()), { tokenizer: new Map([['vocab.json', new TextEncoder().encode('{}')]]) })
  expect([...checkpoint.components.keys()]).toEqual(['unet', 'vae', 'text_encoder', 'tokenizer', 'scheduler'])
  for (const [name, entry] of [['unet', unet2DCondition], ['vae', autoencoderKL], ['text_encoder', clipTextModel]] as const) {
    const { config, weights } = checkpoint.components.get(name)!
    const state = await weights()
    const model = entry.build(init, config, [...state.names()].length)
    await model.load(entry.names?.(state) ?? state)
  }
  const tokenizer = checkpoint.components.get('tokenizer')!
  expect(await tokenizer.text('vocab.json')).toBe('{}')
  expect(JSON.parse(await tokenizer.text('tokenizer_config.json') ?? '')).toMatchObject({ pad_token: '<|endoftext|>' })
})

test('a checkpoint in one file has no tokenizer, and says what to pass', async () => {
  await using checkpoint = await openCheckpoint(file(parts()))
  await expect(checkpoint.components.get('tokenizer')!.text('vocab.json')).rejects.toThrow('pass tokenizer: a folder with vocab.json and merges.txt')
})

test('nine channels are inpainting, others are refused', async () => {
  expect((await openCheckpoint(file(parts(9)))).className).toBe('StableDiffusionInpaintPipeline')
  await expect(openCheckpoint(file(parts(8)))).rejects.toThrow('or 9 for inpainting, got a checkpoint in one file of Stable Diffusion 1 that takes 8 channels')
})

test('what a UNet predicts is told by the caller, the header or a tensor; Stable Diffusion 2 asks for it', async () => {
  const predicted = async (shapes: Shapes, metadata?: Record<string, string>): Promise<unknown> =>
    (await openCheckpoint(file(shapes, metadata))).components.get('scheduler')?.config['prediction_type']
  expect(await predicted(parts())).toBe('epsilon')
  expect(await predicted(parts(), { 'modelspec.prediction_type': 'v' })).toBe('v_prediction')
  expect(await predicted(new Map([...parts(), ['v_pred', []]]))).toBe('v_prediction')
  const second = new Map([...parts()].filter(([name]) => !name.startsWith('cond_stage_model')))
  for (const [name, shape] of openClip('cond_stage_model.model.', { width: 64, inner: 12, layers: 2, vocabulary: 16, positions: 5 })) second.set(name, shape)
  await expect(openCheckpoint(file(second))).rejects.toThrow("pass predictionType: 'v_prediction' for those of 768 pixels, 'epsilon' for those of 512")
  const told = await openCheckpoint(file(second), { predictionType: 'epsilon' })
  expect(told.components.get('scheduler')?.className).toBe('PNDMScheduler')
  expect(JSON.parse(await (await openCheckpoint(file(second), { predictionType: 'epsilon', tokenizer: new Map() })).components.get('tokenizer')!.text('tokenizer_config.json') ?? '')).toMatchObject({ pad_token: '!' })
})

const stripped = (prefix: string): Shapes => new Map([...parts()].filter(([name]) => name.startsWith(prefix)).map(([name, shape]) => [name.slice(prefix.length), shape]))

test('a UNet or an autoencoder alone in a file is recognised', async () => {
  for (const [prefix, name, className] of [['model.diffusion_model.', 'unet', 'UNet2DConditionModel'], ['first_stage_model.', 'vae', 'AutoencoderKL']] as const) {
    const alone = await openCheckpoint(file(stripped(prefix)))
    expect([alone.className, ...alone.components.keys()]).toEqual([className, name])
  }
})

test.each<[string, Shapes, string]>([
  ['a checkpoint without its autoencoder', new Map([...parts()].filter(([name]) => !name.startsWith('first_stage'))), 'got one without an autoencoder; take the whole checkpoint'],
  ['a LoRA', new Map([['lora_unet_mid_block_attentions_0_proj_in.lora_down.weight', [4, 4]]]), 'got a LoRA; open the checkpoint that it is for, and load this on it with loadAdapter'],
  ['a LoRA of XL', new Map([['lora_te2_text_model_encoder_layers_0_mlp_fc1.alpha', []]]), 'got a LoRA for Stable Diffusion XL'],
  ['a LoRA of 1.5', new Map([['unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora.down.weight', [4, 768]]]), 'got a LoRA for Stable Diffusion 1;'],
  ['a LoRA of PEFT', new Map([['base_model.model.to_q.lora_A.weight', [4, 4]]]), 'got a LoRA'],
  ['a model of diffusers', new Map([['down_blocks.0.resnets.0.conv1.weight', [4, 4, 3, 3]]]), 'got a UNet; pass its folder, with its config.json'],
  ['a ControlNet', new Map([['control_model.time_embed.0.weight', [4, 4]]]), 'got a ControlNet'],
  ['an embedding', new Map([['emb_params', [1, 768]]]), 'got an embedding of textual inversion'],
  ['another model', new Map([['double_blocks.0.img_attn.norm.key_norm.scale', [4]]]), 'got a model of Flux; check which file it is'],
  ['anything', new Map([['a', [1]], ['b', [1]]]), 'got a file of 2 tensors unknown here ("a", "b", …)'],
])('%s is told for what it is', async (_, shapes, message) => {
  await expect(openCheckpoint(file(shapes))).rejects.toThrow(CheckpointError)
  await expect(openCheckpoint(file(shapes))).rejects.toThrow(message)
})

test('options that say nothing of a source are refused', async () => {
  await expect(openCheckpoint(file(parts()), { variant: 'fp16' })).rejects.toThrow(ConfigError)
  await expect(openCheckpoint(new Map(), { predictionType: 'epsilon' })).rejects.toThrow('expected no predictionType for a checkpoint in a folder')
})
