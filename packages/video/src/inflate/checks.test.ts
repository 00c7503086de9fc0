import { ConfigError, constant, gradients, ShapeError, type Tensor } from '@antipode/core'
import { randomParameters } from '@antipode/core/nn'
import { FakeHost, interpret } from '@antipode/core/testing'
import { type UNet2DCondition, UNet2DConditionModel } from '@antipode/models'
import { type Denoiser, joinConditions } from '@antipode/npo'
import { expect, test } from 'vitest'
import { framePositions, repeatFrames, TemporalAttention, TemporalConv } from '../temporal/index.ts'
import { inflate, type TemporalBlock } from './index.ts'

const host = new FakeHost()
const init = randomParameters(host, { seed: 0 })
const x = (...shape: number[]): Tensor => constant(host, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)), shape)
const conv: TemporalBlock = (parameters, { channels }) => new TemporalConv(parameters, { channels, groups: 4 })
const unet = new UNet2DConditionModel(init, {
  block_out_channels: [8], norm_num_groups: 4, layers_per_block: 1, in_channels: 1, out_channels: 1, num_class_embeds: 3,
  down_block_types: ['DownBlock2D'], up_block_types: ['UpBlock2D'], mid_block_type: null,
})
const video = inflate(unet, conv)

test.each<[string, () => unknown]>([
  ['TemporalAttention: expected heads to be', () => new TemporalAttention(init, { channels: 8, heads: 0.5, groups: 4 })],
  ['TemporalAttention: expected options among channels, heads, groups, feedForward, got headWidth', () => new TemporalAttention(init, { channels: 8, headWidth: 4 } as never)],
  ['TemporalConv: expected groups to be', () => new TemporalConv(init, { channels: 8, groups: 0.5 })],
  ['TemporalConv: expected groups that divide the channels, got 3 for 8', () => new TemporalConv(init, { channels: 8, groups: 3 })],
  ['framePositions: expected channels to be an even number', () => framePositions(host, 2, 3)],
  ['framePositions: expected frames to be', () => framePositions(host, 0, 4)],
  ['inflate: expected block to be a function', () => inflate(unet, {} as never)],
  ['inflate: expected options among init, got frames', () => inflate(unet, conv, { frames: 8 } as never)],
  ['inflate: expected a layer or nothing for down_blocks.0.resnets.0, got something else', () => inflate(unet, (async () => undefined) as never)],
  ['VideoUNet: expected options among context, classLabels, textEmbeds, timeIds, timestepCond, got checkpoint', () => video.forward(x(1, 1, 2, 4, 4), 1, { checkpoint: true } as never)],
])('%s', (message, run) => {
  expect(run).toThrow(ConfigError)
  expect(run).toThrow(message)
})

test('frames are whole, and conditions have a row for each clip', () => {
  expect(() => repeatFrames(x(2), 0)).toThrow(ShapeError)
  expect(() => video.forward(x(2, 1, 2, 4, 4), 1, { classLabels: x(1).to('i32') })).toThrow('expected conditions with 2 rows, one for each clip, got [1]')
})

test('conditions of SDXL\'s form are tensors by name: they are joined, and a clip has them in each of its frames', () => {
  const sdxl = new UNet2DConditionModel(init, {
    block_out_channels: [8], norm_num_groups: 4, layers_per_block: 1, in_channels: 1, out_channels: 1, attention_head_dim: 2, cross_attention_dim: 6,
    down_block_types: ['CrossAttnDownBlock2D'], up_block_types: ['UpBlock2D'], mid_block_type: null,
    addition_embed_type: 'text_time', addition_time_embed_dim: 2, projection_class_embeddings_input_dim: 16,
  })
  const [one, other] = [0, 1].map((k): UNet2DCondition => ({ context: x(1, 3, 6).add(k), textEmbeds: x(1, 4).sub(k), timeIds: x(1, 6).mul(k) })) as [UNet2DCondition, UNet2DCondition]
  const denoiser: Denoiser<UNet2DCondition> = (clip, t, condition) => inflate(sdxl, conv).forward(clip, t, condition)
  const clips = x(2, 1, 2, 4, 4)
  const [joined = []] = interpret([denoiser(clips, constant(host, [5, 5]), joinConditions(one, other))])
  const apart = interpret([one, other].map((condition, k) => denoiser(clips.slice(0, k, k + 1), constant(host, [5]), condition)))
  expect([...joined]).toEqual(apart.flatMap((values) => [...values]).map((v) => expect.closeTo(v, 10) as unknown))
})

test('layers of a clip are computed again in the backward pass where that is asked for', () => {
  const dispatches = (checkpoint: boolean): number => {
    const loss = video.forward(x(1, 1, 2, 4, 4), 5, {}, { checkpoint }).square().sum()
    return host.plan(...gradients(loss, video.parameters())).dispatches.length
  }
  expect(dispatches(true)).toBeGreaterThan(dispatches(false))
})
