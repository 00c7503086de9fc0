import { expect, test } from 'vitest'
import { ConfigError, gradients, scaledDotProductAttention, ShapeError, type Tensor } from '@antipode/core'
import { type MultiHeadAttention, randomParameters } from '@antipode/core/nn'
import { FakeHost, interpret, waves } from '@antipode/core/testing'
import {
  type Attend, attending, AttentionBlock2D, BasicTransformerBlock, identityAttention, joinWrappers, Pass, type PassInput, type ResnetBlock2D, type Wrapper, type Wrappers, wrappersOf,
} from '../layers/index.ts'
import { addResiduals, UNet2DConditionModel } from './index.ts'

const host = new FakeHost()
const unet = new UNet2DConditionModel(randomParameters(host, { seed: 1 }), {
  in_channels: 2, out_channels: 1, block_out_channels: [8, 8], norm_num_groups: 4, layers_per_block: 1, attention_head_dim: 2, cross_attention_dim: 6,
  down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'], up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
})
const context = waves(host, 'context', [1, 3, 6], 0, 1)
const image = (side: number): Tensor => waves(host, 'image', [1, 2, side, side], 0, 1)
const numbers = (t: Tensor): number[] => [...interpret([t])[0] ?? []]
const run = (wrappers?: Wrappers, side = 4): number[] => numbers(unet.forward(image(side), 7, { context }, { wrappers }))
const close = (values: readonly number[]): unknown[] => values.map((v) => expect.closeTo(v, 10) as unknown)
const perturbed = (model: UNet2DConditionModel): Wrappers =>
  wrappersOf(model, (name, layer) => (/^mid_block\..*\.attn1$/.test(name) ? identityAttention(layer as MultiHeadAttention) : undefined))

test('identity attention inside a transformer block lets every token see itself alone', () => {
  const block = new BasicTransformerBlock(randomParameters(host, { seed: 2 }), { width: 4, heads: 2, headWidth: 2, contextWidth: 6 })
  const x = waves(host, 'x', [1, 5, 4], 0, 1)
  const pass = new Pass({ context }, new Map([[block.attn1, identityAttention(block.attn1)]]))
  // A token that is alone sees itself, without any wrapper.
  const alone = [0, 1, 2, 3, 4].flatMap((k) => numbers(block.forward(x.slice(1, k, k + 1), context)))
  expect(numbers(block.forward(x, context, pass))).toEqual(close(alone))
  expect(numbers(block.forward(x, context))).not.toEqual(close(alone))
  const crossing = new Pass({ context }, new Map([[block.attn2, identityAttention(block.attn2)]]))
  expect(() => block.forward(x, context, crossing)).toThrow('identityAttention: expected an attention of tokens to themselves')
})

test('a wrapper by name stands in a copy with adapters, and changes nothing where attention sees one pixel', () => {
  expect(perturbed(unet).size).toBe(1)
  expect(run(perturbed(unet))).not.toEqual(run())
  // Two pixels in a row are one in the middle.
  expect(run(perturbed(unet), 2)).toEqual(close(run(undefined, 2)))
  const copy = unet.with({})
  expect(numbers(copy.forward(image(4), 7, { context }, { wrappers: perturbed(copy) }))).toEqual(run(perturbed(unet)))
  expect(() => copy.forward(image(4), 7, { context }, { wrappers: perturbed(unet) })).toThrow(ConfigError)
})

test('layers are run by what they are told: time, context, and on the way up two inputs', () => {
  const seen = new Map<string, readonly [inputs: (readonly number[])[], pass: PassInput]>()
  const spies = wrappersOf(unet, (name) => (/^conv_in$|^mid_block$|resnets\.\d$|attentions\.\d$|transformer_blocks\.\d$|attn\d$|ff$/.test(name) ? (layer, inputs, pass) => {
    seen.set(name, [inputs.map((t) => t.shape), pass])
    return layer(...inputs)
  } : undefined))
  expect(run(spies)).toEqual(run())
  expect(seen.size).toBe(spies.size)
  expect(seen.get('conv_in')?.[0]).toEqual([[1, 2, 4, 4]])
  expect(seen.get('up_blocks.1.resnets.0')?.[0]).toEqual([[1, 8, 4, 4], [1, 8, 4, 4]])
  const inside = 'down_blocks.0.attentions.0.transformer_blocks.0'
  expect(seen.get(inside)?.[0]).toEqual([[1, 16, 8]])
  expect(seen.get(`${inside}.attn2`)?.[0]).toEqual([[1, 16, 8], [1, 3, 6]])
  expect(seen.get(inside)?.[1].time?.shape).toEqual([1, 32])
  expect(numbers(seen.get(inside)?.[1].context as Tensor)).toEqual(numbers(context))
})

test('what an attention makes of queries, keys and values is another function of them, which knows the image', () => {
  const seen: unknown[] = []
  const around = (name: RegExp, attend: (...inputs: Parameters<Attend>) => Tensor): Wrappers => wrappersOf(unet, (path, layer) => (
    name.test(path) ? attending(layer as MultiHeadAttention, ({ grid }) => (q, k, v, options) => {
      seen.push([path.slice(-5), grid, q.shape, k.shape, v.shape, options])
      return attend(q, k, v, options)
    }) : undefined))
  expect(run(around(/^down.*attn[12]$/, scaledDotProductAttention))).toEqual(run())
  const [q, layout] = [[1, 16, 2, 4], { layout: 'BNHD' }]
  expect(seen).toEqual([['attn1', [4, 4], q, q, q, layout], ['attn2', [4, 4], q, [1, 3, 2, 4], [1, 3, 2, 4], layout]])
  expect(run(around(/^mid_block.*attn1$/, (_q, _k, v) => v))).toEqual(run(perturbed(unet)))
  const block = new AttentionBlock2D(randomParameters(host, { seed: 3 }), { channels: 4, headWidth: 2, groups: 2, eps: 1e-5 })
  const alone = (wrapper: Wrapper): number[] => numbers(new Pass({}, new Map([[block, wrapper]])).run(block, [picture], (x) => block.forward(x!)))
  const picture = waves(host, 'picture', [1, 4, 2, 3], 0, 1)
  let grid: unknown
  expect(alone(attending(block, (pass) => {
    grid = pass.grid
    return scaledDotProductAttention
  }))).toEqual(numbers(block.forward(picture)))
  expect(grid).toEqual([2, 3])
  expect(alone(identityAttention(block))).not.toEqual(numbers(block.forward(picture)))
})

test('of two wrappers around one layer the later stands around the earlier', () => {
  const order: string[] = []
  const around = (name: string): Wrappers => new Map([[unet.convIn, ((layer, inputs) => {
    order.push(`${name} in`)
    const h = layer(...inputs)
    order.push(`${name} out`)
    return h
  }) satisfies Wrapper]])
  expect(run(joinWrappers(around('first'), around('second')))).toEqual(run())
  expect(order).toEqual(['second in', 'first in', 'first out', 'second out'])
})

/** The model with residuals, block by block, as diffusers adds them. */
function withResiduals(skipResiduals: readonly Tensor[], middle: Tensor): Tensor {
  let time: Tensor | undefined
  unet.forward(image(4), 7, { context }, { wrappers: new Map([[unet.convIn, (layer, inputs, pass) => {
    time = pass.time
    return layer(...inputs)
  }]]) })
  const resnets = [...unet.downBlocks, unet.midBlock!, ...unet.upBlocks].flatMap((block): readonly ResnetBlock2D[] => block.resnets)
  const call = { shifts: new Map(resnets.map((r) => [r, [r.timeEmbProj!.forward(time!)]])), pass: new Pass({ time, context }) }
  let h = unet.convIn.forward(image(4))
  const skips = [h]
  for (const block of unet.downBlocks) {
    skips.push(...block.forward(h, call))
    h = skips.at(-1)!
  }
  h = unet.midBlock!.forward(h, call).add(middle)
  const across = skips.map((skip, i) => skip.add(skipResiduals[i]!))
  for (const block of unet.upBlocks) h = block.forward(h, across, call)
  return unet.convOut.forward(unet.convNormOut.forward(h, { activation: 'silu' }))
}

test('residuals of a ControlNet are added to what comes across and to the middle, and to nothing else', () => {
  const shapes = [[1, 8, 4, 4], [1, 8, 4, 4], [1, 8, 2, 2], [1, 8, 2, 2]]
  const skips = shapes.map((shape, i) => waves(host, `skip${i}`, shape, 0, 1))
  const middle = waves(host, 'middle', [1, 8, 2, 2], 0, 1)
  const got = unet.forward(image(4), 7, { context }, { wrappers: addResiduals(unet, { skips, middle }) })
  expect(numbers(got)).toEqual(close(numbers(withResiduals(skips, middle))))
  // They are trained through the frozen model, also where its layers are computed again.
  const slopes = [false, true].map((checkpoint) => gradients(
    unet.forward(image(4), 7, { context }, { wrappers: addResiduals(unet, { skips, middle }), checkpoint }).square().sum(), [...skips, middle],
  ).map(numbers))
  expect(slopes[1]).toEqual(slopes[0]?.map(close))
  expect(slopes[0]?.map((row) => row.some((v) => v !== 0))).toEqual([true, true, true, true, true])
  expect(() => addResiduals(unet, { skips: skips.slice(1) })).toThrow(new ShapeError('addResiduals: expected 4 residuals, one for each output of the way down, got 3'))
})
