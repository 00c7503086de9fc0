import { CheckpointError, ConfigError, gradients, type Tensor, zeros } from '@antipode/core'
import { encodeSafetensors } from '@antipode/core/io'
import { type Module, placeholders } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { loadModel } from '../files/index.ts'
import { autoencoderKL, autoencoderTiny } from '../registry/index.ts'
import { l1, near, sum } from '../testing/index.ts'
import golden from './autoencoder-tiny.golden.json' with { type: 'json' }
import { AutoencoderTiny, type AutoencoderTinyConfig, taesd } from './index.ts'

const host = new FakeHost()
const narrow: AutoencoderTinyConfig = golden.decode.config

const weights = (model: Module): Map<string, Tensor> =>
  new Map([...model.namedParameters()].map(([name, t]) => [name, waveParameter(host, name, t.shape)]))

async function made(config: AutoencoderTinyConfig): Promise<AutoencoderTiny> {
  const model = new AutoencoderTiny(placeholders(host), config)
  await model.load(weights(model))
  return model
}

test('in float64 images are those of diffusers, with loss and gradients', async () => {
  const { params, inputs, output, loss: wantLoss, inputGrads, paramGrads } = golden.decode
  const model = await made(narrow)
  expect(model.parameterCount).toBe(params)
  const z = waves(host, 'input.z', inputs.z, 0, 1)
  const out = model.decode(z)
  expect(out.shape).toEqual(output.shape)
  const loss = out.sub(waves(host, 'target', output.shape, 0, 1)).square().mean()
  const layer = 'decoder.layers.0.weight'
  const leaves = [z, model.state().get(layer) as Tensor]
  const all = interpret([out, loss, ...gradients(loss, leaves)])
  const [values, lossValue, ...grads] = all as [Float64Array, Float64Array, ...Float64Array[]]
  output.first8.forEach((want, i) => { near(values[i], want, output.absSum / values.length) })
  near(sum(values), output.sum, output.absSum)
  near(l1(values), output.absSum, output.absSum)
  near(lossValue[0], wantLoss, wantLoss)
  for (const [k, { l1: size, first4 }] of [inputGrads.z, paramGrads[layer]].entries()) {
    const grad = grads[k]!
    near(l1(grad), size, size)
    first4.forEach((want, i) => { near(grad[i], want, size / grad.length) })
  }
})

test('TAESD has the parameters of its checkpoint', () => {
  const { parameterCount, scale, encoder, decoder } = new AutoencoderTiny(placeholders(host))
  const counts = [encoder, decoder].map((half) => half.parameterCount)
  expect([parameterCount, scale, ...counts]).toEqual([2_445_063, 8, 1_222_532, 1_222_531])
})

/** The parameters of one half under the names that the author of TAESD counts. */
function counted(model: AutoencoderTiny, half: 'encoder' | 'decoder'): Map<string, Tensor> {
  const entries = Array.from(model[half].namedParameters(), ([name, t]): [string, Tensor] => {
    const [, layer, rest] = /^layers\.(\d+)\.(.*)$/.exec(name) ?? []
    return [`${Number(layer) + (half === 'decoder' ? 1 : 0)}.${rest}`, t]
  })
  return new Map(entries)
}

test('files of TAESD\'s author load by the numbers of their layers, with or without an encoder', async () => {
  const own = new AutoencoderTiny(placeholders(host), { latent_channels: 5, use_midblock_gn: true })
  const [encoder, decoder] = [counted(own, 'encoder'), counted(own, 'decoder')]
  expect(['14.weight', '13.pool.3.weight'].every((name) => encoder.has(name))).toBe(true)
  expect(['1.weight', '5.pool.1.bias', '19.bias'].every((name) => decoder.has(name))).toBe(true)
  const bias = waves(host, 'bias', [64], 0, 1)
  decoder.set('1.bias', bias)
  const { config, state } = taesd({ encoder, decoder })
  expect(config).toEqual({ latent_channels: 5, use_midblock_gn: true })
  expect([...state.names()].sort()).toEqual([...own.state().keys()].sort())
  const half = taesd({ decoder: new Map([...decoder].filter(([name]) => name.startsWith('1.'))) })
  const model = new AutoencoderTiny(placeholders(host), half.config)
  await model.load(half.state, { strict: false })
  expect(await model.state().get('decoder.layers.0.bias')?.data()).toEqual(await bias.data())
})

test('files in each other\'s place, or of other models, are refused', async () => {
  const own = new AutoencoderTiny(placeholders(host))
  const [encoder, decoder] = [counted(own, 'encoder'), counted(own, 'decoder')]
  expect(() => taesd({})).toThrow(new CheckpointError('taesd: expected an encoder or a decoder, got neither'))
  expect(() => taesd({ encoder: decoder })).toThrow('taesd: expected an encoder with a convolution 14.weight, got none')
  expect(() => taesd({ decoder: encoder })).toThrow('taesd: expected a decoder with a convolution 1.weight, got none')
})

test('a tiny autoencoder loads by the name of its class', async () => {
  const config = {
    encoder_block_out_channels: [2], num_encoder_blocks: [1], decoder_block_out_channels: [2], num_decoder_blocks: [1],
  }
  const own = await made(config)
  const tensors = await Promise.all(Array.from(own.state(), async ([name, t]) => (
    { name, dtype: 'F32' as const, shape: t.shape, data: await t.data() as Float32Array<ArrayBuffer> }
  )))
  const file = encodeSafetensors(tensors, { config: JSON.stringify({ _class_name: 'AutoencoderTiny', ...config }) })
  const loaded = await loadModel(host, file, { models: [autoencoderKL, autoencoderTiny] })
  expect(loaded).toBeInstanceOf(AutoencoderTiny)
  const z = waves(host, 'z', [1, 4, 2, 2], 0, 1)
  // A tile that holds all of the latents is the whole.
  const images = [own.with({}).decode(z), (loaded as AutoencoderTiny).decode(z, { tiling: true })] as const
  const [one, other] = interpret(images)
  expect(one).toEqual(other)
})

test('tiles and parts have the size of the whole, for sides that nothing divides too', async () => {
  const model = await made({
    encoder_block_out_channels: [1, 1, 1, 1], decoder_block_out_channels: [1, 1, 1, 1],
    num_encoder_blocks: [0, 0, 0, 0], num_decoder_blocks: [0, 0, 0, 0],
  })
  const x = waves(host, 'x', [2, 3, 83, 67], 0, 1)
  const tiling = { size: 32, overlap: 0.25 }
  const latents = model.encode(x, { tiling })
  expect([model.encode(x).shape, latents.shape]).toEqual([[2, 4, 11, 9], [2, 4, 11, 9]])
  const image = await model.decodeInParts(await model.encodeInParts(x, { tiling, slicing: true }), { tiling })
  expect(image.shape).toEqual([2, 3, 88, 72])
})

test.each<[object, string]>([
  [{ _class_name: 'AutoencoderKL' }, 'expected _class_name to be "AutoencoderTiny"'],
  [{ act_fn: 'mish' }, 'expected act_fn to be'],
  [{ upsample_fn: 'bilinear' }, 'expected upsample_fn to be "nearest"'],
  [{ num_encoder_blocks: [1, 3] }, 'expected 4 entries in num_encoder_blocks, as many as in encoder_block_out'],
  [{ decoder_block_out_channels: [64, 64, 32, 32] }, 'expected equal numbers in decoder_block_out_channels'],
  [{ latent_chanels: 4 }, 'latent_chanels'],
])('a configuration with %j is refused by name', (config, text) => {
  expect(() => new AutoencoderTiny(placeholders(host), config)).toThrow(ConfigError)
  expect(() => new AutoencoderTiny(placeholders(host), config)).toThrow(text)
})

test('images and latents of other channels are refused', () => {
  const model = new AutoencoderTiny(placeholders(host))
  const [images, latents] = [zeros(host, [1, 4, 8, 8]), zeros(host, [1, 3, 8, 8])]
  expect(() => model.encode(images)).toThrow('AutoencoderTiny.encode: expected images [B,3,H,W], got [1,4,8,8]')
  expect(() => model.decode(latents)).toThrow('AutoencoderTiny.decode: expected latents [B,4,H,W], got [1,3,8,8]')
})
