import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Module, placeholders } from '@antipode/core/nn'
import { FakeHost, waveParameter } from '@antipode/core/testing'
import { AutoencoderKL, type AutoencoderKLConfig } from '../autoencoder/index.ts'
import { CLIPTextModel, CLIPTextModelWithProjection } from '../clip/index.ts'
import { type UNet2DConfig, UNet2DConditionModel } from '../unet/index.ts'
import { ldmUNet, ldmUNetNames, ldmVae, ldmVaeNames, openClipText } from './index.ts'
import golden from './ldm.golden.json' with { type: 'json' }

const host = new FakeHost()
const init = placeholders(host)
const digest = (lines: Iterable<string>): string =>
  createHash('sha256').update([...lines].sort().join('\n')).digest('hex').slice(0, 16)

const xl: UNet2DConfig = {
  block_out_channels: [320, 640, 1280], transformer_layers_per_block: [1, 2, 10], attention_head_dim: [5, 10, 20],
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'], cross_attention_dim: 2048,
  use_linear_projection: true,
  addition_embed_type: 'text_time', addition_time_embed_dim: 256, projection_class_embeddings_input_dim: 2816,
}
const unets = {
  sd15: { cross_attention_dim: 768 },
  sd21: { cross_attention_dim: 1024, attention_head_dim: [5, 10, 20, 20], use_linear_projection: true },
  sdxl: xl,
  refiner: {
    ...xl, block_out_channels: [384, 768, 1536, 1536], transformer_layers_per_block: 4,
    attention_head_dim: [6, 12, 24, 24],
    down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
    up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'], cross_attention_dim: 1280,
    projection_class_embeddings_input_dim: 2560,
  },
} satisfies Record<string, UNet2DConfig>
const vae: AutoencoderKLConfig = {
  block_out_channels: [128, 256, 512, 512], layers_per_block: 2,
  down_block_types: Array<'DownEncoderBlock2D'>(4).fill('DownEncoderBlock2D'),
  up_block_types: Array<'UpDecoderBlock2D'>(4).fill('UpDecoderBlock2D'),
}

const stemsOf = (names: Iterable<string>): Set<string> =>
  new Set(Array.from(names, (name) => name.replace(/\.(weight|bias)$/, '')))

interface Golden {
  readonly tensors: number
  readonly params: number
  readonly ldm: string
  readonly diffusers?: string
  readonly stems?: string
}

function check(model: Module, want: Golden, names: typeof ldmUNetNames, back: typeof ldmUNet): void {
  const own = [...model.state().keys()]
  expect([own.length, model.parameterCount]).toEqual([want.tensors, want.params])
  if (want.diffusers) expect(digest(own)).toBe(want.diffusers)
  const original = names(own)
  expect(digest(original.values())).toBe(want.ldm)
  const stems = Array.from(names(stemsOf(own)), ([ours, theirs]) => `${theirs} ${ours}`)
  if (want.stems) expect(digest(stems)).toBe(want.stems)
  const file = new Map(Array.from(model.state(), ([name, t]) => [original.get(name)!, t]))
  expect([...back(file).names()]).toEqual(own)
}

test.each(Object.entries(unets))('the UNet of %s has the names of its single file, there and back', (name, config) => {
  check(new UNet2DConditionModel(init, config), golden.models[name as keyof typeof unets], ldmUNetNames, ldmUNet)
})

test('the autoencoder has the names of its single file, layer by layer, there and back', () => {
  check(new AutoencoderKL(init, vae), golden.models.vae, ldmVaeNames, ldmVae)
})

test('what is neither UNet nor autoencoder is left out', () => {
  const stray = waveParameter(host, 'x', [1])
  const unet = ldmUNet(new Map([['model_ema.decay', stray], ['input_blocks.0.0.weight', stray]]))
  expect([...unet.names()]).toEqual(['conv_in.weight'])
  const vae = ldmVae(new Map([['loss.logvar', stray], ['encoder.norm_out.weight', stray]]))
  expect([...vae.names()]).toEqual(['encoder.conv_norm_out.weight'])
})

test('the attention of an autoencoder is 1×1 convolutions in single files, and matrices here', async () => {
  const small: AutoencoderKLConfig = { block_out_channels: [4], norm_num_groups: 2 }
  const model = new AutoencoderKL(init, small)
  const original = ldmVaeNames(model.state().keys())
  const file = new Map(Array.from(model.state(), ([name, { shape }]) => {
    const theirs = original.get(name)!
    const isMatrix = /attn_1\.(q|k|v|proj_out)\.weight/.test(theirs)
    return [theirs, waveParameter(host, theirs, isMatrix ? [...shape, 1, 1] : shape)]
  }))
  await model.load(ldmVae(file))
  const own = model.state().get('decoder.mid_block.attentions.0.to_k.weight')!
  expect(await own.data()).toEqual(await file.get('decoder.mid.attn_1.k.weight')!.data())
})

test('the text towers of single files have the names of transformers', () => {
  const { clip } = golden
  const narrow = { hidden_size: 8, num_attention_heads: 1, projection_dim: 6 }
  const names = [...new CLIPTextModel(init, { ...narrow, num_hidden_layers: clip.layers }).state().keys()]
  expect(names).toHaveLength(clip.hubNames)
  expect(digest(names.filter((name) => !/layers\.([1-9])/.test(name)))).toBe(clip.namesLayer0)
  const big = new CLIPTextModelWithProjection(init, { ...narrow, num_hidden_layers: clip.openClipLayers })
  expect(big.state().size).toBe(clip.openClipCount)
  const shape = (name: string): number[] => {
    if (name.includes('in_proj')) return [24, 8]
    return name === 'text_projection' ? [8, 6] : [8]
  }
  for (const [theirs = '', ours] of clip.openClipMap) {
    expect([...openClipText(new Map([[theirs, waveParameter(host, theirs, shape(theirs))]])).names()]).toContain(ours)
  }
})
