import { gradients, type Tensor, tensor } from '@antipode/core'
import { adapterParameters, addAdapter, lora, randomParameters } from '@antipode/core/nn'
import { FakeHost, interpret, noise, waves } from '@antipode/core/testing'
import { type UNet2DCondition, UNet2DConditionModel } from '@antipode/models'
import { drawNoise, pairObjectiveOf } from '@antipode/npo'
import { ddim } from '@antipode/schedulers'
import { expect, test } from 'vitest'
import { attentionTargets, networksOf } from './train-preference.ts'

const host = new FakeHost()

/** A UNet with an adapter that is something already. */
function unetIn(weights: { readonly weights?: 'q8_0' }): UNet2DConditionModel {
  const unet = new UNet2DConditionModel(randomParameters(host, { seed: 1, ...weights }), {
    in_channels: 2, out_channels: 2, block_out_channels: [32], norm_num_groups: 2, layers_per_block: 1,
    attention_head_dim: 2, cross_attention_dim: 32, down_block_types: ['CrossAttnDownBlock2D'], up_block_types: ['UpBlock2D'],
    mid_block_type: null,
  })
  addAdapter(unet, 'eta', lora({ rank: 2, targets: attentionTargets, seed: 3 }))
  for (const [k, t] of [...adapterParameters(unet, 'eta').values()].entries()) t.write(noise(t.size, k))
  return unet
}

test('an adapter in f32 trains on a base in blocks: loss and gradients are those of the numbers that the blocks stand for', async () => {
  const [unet, twin] = [unetIn({ weights: 'q8_0' }), unetIn({})]
  const numbers = [...unet.state()].map(async ([name, t]) => [name, tensor(host, await t.data(), t.shape)] as const)
  await twin.load(new Map(await Promise.all(numbers)))
  expect([...unet.state().values()].filter(({ dtype }) => dtype === 'q8_0').length).toBeGreaterThan(10)
  expect([...adapterParameters(unet, 'eta').values()].every(({ dtype }) => dtype === 'f32')).toBe(true)
  const shape = [1, 2, 2, 2]
  const sample = (name: string): Tensor => waves(host, name, shape, 0, 1)
  const batch = {
    ...drawNoise(host, ddim().schedule!, shape, { seed: 1, step: 0 }),
    chosen: sample('chosen'), rejected: sample('rejected'), condition: { context: waves(host, 'context', [1, 2, 32], 0, 1) },
  }
  const stepOf = (model: UNet2DConditionModel): Tensor[] => {
    const { loss } = pairObjectiveOf<UNet2DCondition>('dpo', { beta: 5 }).evaluate(networksOf(model, 'eta', true), batch)
    return [loss, ...gradients(loss, [...adapterParameters(model, 'eta').values()])]
  }
  const [own, wanted] = [interpret(stepOf(unet)), interpret(stepOf(twin))]
  expect(own[0]![0]).not.toBeCloseTo(Math.LN2, 3)
  for (const [k, values] of own.entries()) {
    for (const [i, value] of values.entries()) expect(value).toBeCloseTo(wanted[k]![i]!, 9)
  }
  expect(own.slice(1).every((values) => values.some((v) => v !== 0))).toBe(true)
})
