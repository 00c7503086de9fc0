import { expect, test } from 'vitest'
import { ConfigError, gradients, ShapeError, type Tensor, tensor } from '@antipode/core'
import { placeholders } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { type Numbers, numbersNear } from '../testing/index.ts'
import golden from './controlnets.golden.json' with { type: 'json' }
import { addResiduals, type ControlNetConfig, ControlNetModel, UNet2DConditionModel } from './index.ts'

const host = new FakeHost()
const x = (...shape: number[]): Tensor => waves(host, 'x', shape, 0, 1)

test.each(golden.cases)('$name: the residuals of diffusers', async (one) => {
  const { config, params, options, skips, middle } = one
  const model = new ControlNetModel(placeholders(host), config as ControlNetConfig)
  expect(model.parameterCount).toBe(params)
  await model.load(new Map([...model.namedParameters()].map(([name, t]) => [name, waveParameter(host, name, t.shape)])))
  const given = (name: string): Tensor => waves(host, `input.${name}`, shapes[name]!, 0, 1)
  const shapes = one.inputs as unknown as Readonly<Record<string, readonly number[]>>
  const condition = {
    context: given('context'),
    ...(shapes['textEmbeds'] ? { textEmbeds: given('textEmbeds'), timeIds: given('timeIds') } : {}),
    ...(shapes['classLabels'] ? { classLabels: tensor(host, shapes['classLabels'], [1]) } : {}),
  }
  const residuals = model.forward(given('sample'), 500, given('image'), condition, options)
  const grads = Object.entries(one.grads as Record<string, Numbers>)
  const slopes = gradients(residuals.middle!.square().mean(), grads.map(([name]) => model.state().get(name)!))
  const got = interpret([...residuals.skips, residuals.middle!, ...slopes])
  const wanted: readonly Numbers[] = [...skips, middle, ...grads.map(([, want]) => want)]
  expect(got.length).toBe(wanted.length)
  wanted.forEach((want, i) => { numbersNear(got[i], want) })
})

const tiny = { block_out_channels: [4, 8], norm_num_groups: 2, layers_per_block: 1, attention_head_dim: 2 } as const
const plain = { down_block_types: ['DownBlock2D', 'DownBlock2D'], mid_block_type: 'UNetMidBlock2D' } as const
const net = new ControlNetModel(placeholders(host), { ...tiny, ...plain, conditioning_embedding_out_channels: [2, 2] })

test('residuals fit the UNet of the same sizes, and are trained through it', () => {
  const unet = new UNet2DConditionModel(placeholders(host), { ...tiny, ...plain, up_block_types: ['UpBlock2D', 'UpBlock2D'] })
  const residuals = net.forward(x(1, 4, 6, 5), 3, x(1, 3, 12, 10))
  const out = unet.forward(x(1, 4, 6, 5), 3, {}, { wrappers: addResiduals(unet, residuals) })
  expect(out.shape).toEqual([1, 4, 6, 5])
  expect(gradients(out.sum(), [net.controlnetMidBlock.parameters()[0]!])[0]?.shape).toEqual([8, 8, 1, 1])
})

test.each<[string, object]>([
  ['ControlNetModel: expected options among', { up_block_types: ['UpBlock2D'] }],
  ['ControlNetModel: expected _class_name to be "ControlNetModel"', { _class_name: 'UNet2DConditionModel' }],
  ['ControlNetModel: expected class_embed_type to be', { class_embed_type: 'timestep' }],
  ['ControlNetModel: expected encoder_hid_dim to be null', { encoder_hid_dim: 8 }],
  ['ControlNetModel: expected a mid_block_type, got null', { mid_block_type: null }],
  ['ControlNetModel: expected 4 entries in attention_head_dim, got 1', { attention_head_dim: [8] }],
  ['ControlNetModel: expected controlnet_conditioning_channel_order to be', { controlnet_conditioning_channel_order: 'grb' }],
  ['ControlNetModel: expected conditioning_embedding_out_channels to be', { conditioning_embedding_out_channels: [] }],
])('%s', (message, config) => {
  expect(() => new ControlNetModel(placeholders(host), config)).toThrow(ConfigError)
  expect(() => new ControlNetModel(placeholders(host), config)).toThrow(message)
})

test('an image of another size, and a scale below 0, are refused', () => {
  expect(() => net.forward(x(1, 4, 6, 5), 3, x(1, 3, 6, 5))).toThrow(ShapeError)
  expect(() => net.forward(x(1, 4, 6, 5), 3, x(1, 3, 12, 10), {}, { scale: -1 })).toThrow('expected scale to be')
})
