import { ConfigError } from '@antipode/core'
import { expect, test } from 'vitest'
import { blockWeights } from './block-weights.ts'

test('a layer has the weight of its block, or of its place in it', () => {
  const at = blockWeights({ down: 0.5, mid: 0, up: [0.25, [2, -1]], rest: 3 })
  const expected = {
    'down_blocks.0.attentions.1.proj_in': 0.5, 'down_blocks.2.downsamplers.0.conv': 0.5, 'mid_block.resnets.0.conv1': 0,
    'up_blocks.0.resnets.2.conv1': 0.25, 'up_blocks.0.upsamplers.0.conv': 0.25, 'up_blocks.1.resnets.0.conv1': 2,
    'up_blocks.1.attentions.1.transformer_blocks.0.attn1.to_q': -1, 'up_blocks.1.attentions.2.proj_out': 1,
    'up_blocks.1.upsamplers.0.conv': 1, 'up_blocks.2.resnets.0.conv1': 1, conv_in: 3, 'time_embedding.linear_1': 3,
  }
  expect(Object.fromEntries(Object.keys(expected).map((layer) => [layer, at(layer)]))).toEqual(expected)
  expect(blockWeights({})('down_blocks.0.resnets.0.conv1')).toBe(1)
})

test('weights that are none, and blocks that are not there, are refused', () => {
  for (const weights of [{ down: Number.NaN }, { up: [[1, Infinity]] }, { mid: [1] }, { middle: 1 }]) {
    expect(() => blockWeights(weights as never)).toThrow(ConfigError)
  }
})
