import { expect, test } from 'vitest'
import { ConfigError, ShapeError, constant, type Tensor } from '@antipode/core'
import { placeholders } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import {
  AddedContextAttention2D, AttentionBlock2D, BasicTransformerBlock, Downsample2D, patchesToPixels, pixelsToPatches, ResnetBlock2D, timestepEmbedding,
  TimestepEmbedding, Transformer2DModel,
} from '../layers/index.ts'
import { flopsPerImage, UNet2DConditionModel } from './index.ts'

const host = new FakeHost()
const init = placeholders(host)
const x = (...shape: number[]): Tensor => constant(host, new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)
const tiny = { block_out_channels: [8], norm_num_groups: 4, layers_per_block: 1, attention_head_dim: 2, in_channels: 1, cross_attention_dim: 6 } as const
const plain = new UNet2DConditionModel(init, { ...tiny, down_block_types: ['DownBlock2D'], up_block_types: ['UpBlock2D'], mid_block_type: null })
const told = new UNet2DConditionModel(init, { ...tiny, down_block_types: ['CrossAttnDownBlock2D'], up_block_types: ['UpBlock2D'], mid_block_type: null })
const resnet = { inChannels: 8, outChannels: 8, groups: 4, eps: 1e-5 }

test.each<[string, () => unknown]>([
  ['ResnetBlock2D: expected options among inChannels, outChannels, timeWidth, groups, eps, activation, scaleShift, outputScale, resample, got dropout', () => new ResnetBlock2D(init, { ...resnet, dropout: 0.1 } as never)],
  ['ResnetBlock2D: expected eps to be', () => new ResnetBlock2D(init, { ...resnet, eps: Number.NaN })],
  ['GroupNorm: expected groups that divide the channels, got 3 for 8', () => new ResnetBlock2D(init, { ...resnet, groups: 3 })],
  ['Downsample2D: expected padding to be', () => new Downsample2D(init, 8, { padding: 2 })],
  ['BasicTransformerBlock: expected heads to be', () => new BasicTransformerBlock(init, { width: 8, heads: 0, headWidth: 2 })],
  ['Transformer2DModel: expected headWidth to be', () => new Transformer2DModel(init, { channels: 8, heads: 3, headWidth: 8 / 3, layers: 1, contextWidth: 6, groups: 4, linearProjection: false })],
  ['AttentionBlock2D: expected a headWidth that divides the channels, got 3 for 8', () => new AttentionBlock2D(init, { channels: 8, headWidth: 3, groups: 4, eps: 0 })],
  ['timestepEmbedding: expected width to be an even number', () => timestepEmbedding(x(1), 7)],
  ['timestepEmbedding: expected options among flipSinToCos, freqShift, got maxPeriod', () => timestepEmbedding(x(1), 8, { maxPeriod: 1 } as never)],
  ['timestepEmbedding: expected a freqShift other than 4', () => timestepEmbedding(x(1), 8, { freqShift: 4 })],
  ['UNet2DConditionModel: expected timesteps to be a finite number, got NaN', () => plain.forward(x(1, 1, 4, 4), Number.NaN)],
  ['UNet2DConditionModel: expected options among context, classLabels, textEmbeds, timeIds, timestepCond, got encoderHiddenStates', () => plain.forward(x(1, 1, 4, 4), 1, { encoderHiddenStates: x(1) } as never)],
  ['UNet2DConditionModel: expected context, the tokens of the prompt', () => told.forward(x(1, 1, 4, 4), 1)],
  ['UNet2DConditionModel: expected no textEmbeds and timeIds, as addition_embed_type is not set', () => plain.forward(x(1, 1, 4, 4), 1, { textEmbeds: x(1, 1), timeIds: x(1, 6) })],
  ['UNet2DConditionModel: expected options among wrappers, checkpoint, got after', () => plain.forward(x(1, 1, 4, 4), 1, {}, { after: () => x(1) } as never)],
  ['UNet2DConditionModel: expected wrappers to be a Map from layers to functions', () => plain.forward(x(1, 1, 4, 4), 1, {}, { wrappers: {} as never })],
  ['UNet2DConditionModel: expected wrappers around layers that it runs, got 1 around others (Conv2d)', () => plain.forward(x(1, 1, 4, 4), 1, {}, { wrappers: new Map([[plain.with({}).convIn, (run, inputs) => run(...inputs)]]) })],
  ['UNet2DConditionModel: expected no classLabels', () => plain.forward(x(1, 1, 4, 4), 1, { classLabels: x(1) })],
  ['UNet2DConditionModel: expected no timestepCond, as time_cond_proj_dim is not set', () => plain.forward(x(1, 1, 4, 4), 1, { timestepCond: x(1, 4) })],
  ['UNet2DConditionModel: expected classLabels, as class_embed_type is identity, got none', () => new UNet2DConditionModel(init, { ...plain.config, class_embed_type: 'identity' }).forward(x(1, 1, 4, 4), 1)],
  ['UNet2DConditionModel: expected context', () => new UNet2DConditionModel(init, { ...plain.config, addition_embed_type: 'text', addition_embed_type_num_heads: 2 }).forward(x(1, 1, 4, 4), 1)],
  ['TimestepEmbedding: expected activation to be', () => new TimestepEmbedding(init, 4, 8, { activation: 'tanh' as never })],
  ['AddedContextAttention2D: expected contextNorm to be', () => new AddedContextAttention2D(init, { channels: 8, headWidth: 4, contextWidth: 6, groups: 2, contextNorm: 'none' as never })],
])('%s', (message, run) => {
  expect(run).toThrow(ConfigError)
  expect(run).toThrow(message)
})

test('patches are of whole pixels', () => {
  expect(() => pixelsToPatches(x(1, 1, 5, 4), 2)).toThrow(ShapeError)
  expect(() => patchesToPixels(x(1, 3, 4, 4), 2)).toThrow(ShapeError)
  expect(() => pixelsToPatches(x(1, 1, 4, 4), 1.5)).toThrow(ConfigError)
})

test('the work of a model with added conditions is counted with them', () => {
  const added = { addition_embed_type: 'text_time', addition_time_embed_dim: 4, projection_class_embeddings_input_dim: 40 } as const
  const config = { ...plain.config, sample_size: 4 }
  // Two layers, 40 -> 32 -> 32, once an image.
  expect(flopsPerImage({ ...config, ...added }) - flopsPerImage(config)).toBe(2 * (40 * 32 + 32 * 32))
})
