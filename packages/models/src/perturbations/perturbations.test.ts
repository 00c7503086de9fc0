import { ConfigError, type Tensor, tensor } from '@antipode/core'
import { Module, randomParameters } from '@antipode/core/nn'
import { FakeHost, interpret, largestGap, waves } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { AttentionBlock2D, BasicTransformerBlock, Pass, type Wrappers } from '../layers/index.ts'
import { UNet2DConditionModel } from '../unet/index.ts'
import { perturbedAttention, receivedAttention, skippedLayers, smoothedEnergy } from './index.ts'
import { received } from './received-attention.ts'
import golden from './testing/perturbations.golden.json' with { type: 'json' }

const host = new FakeHost()
const values = new Map<Tensor, readonly number[]>()
const leaf = (numbers: readonly number[], shape: readonly number[]): Tensor => {
  const t = tensor(host, numbers, shape)
  values.set(t, numbers)
  return t
}
const read = (t: Tensor): number[] => [...interpret([t], values)[0] ?? []]
const closeTo = (want: readonly number[], got: readonly number[]): void => {
  expect(got).toHaveLength(want.length)
  expect(largestGap(Float64Array.from(want), got) / Math.max(1, ...want.map(Math.abs))).toBeLessThan(1e-9)
}

/** A layer that is any function. */
class Given extends Module {
  readonly forward: (x: Tensor) => Tensor
  constructor(forward: (x: Tensor) => Tensor) {
    super()
    this.forward = forward
  }
}
const stays = new Given((x) => x)

/** A model of one transformer block, of two heads, whose layers are given. */
function modelOf(attention: Readonly<Record<'toQ' | 'toK' | 'toV' | 'toOut', (x: Tensor) => Tensor>>): Module & { readonly midBlock: BasicTransformerBlock } {
  const midBlock = new BasicTransformerBlock(randomParameters(host, { seed: 1 }), { width: 6, heads: 2, headWidth: 3 })
  const { toQ, toK, toV, toOut } = attention
  Object.assign(midBlock.attn1, { toQ: new Given(toQ), toK: new Given(toK), toV: new Given(toV), toOut: [new Given(toOut)] })
  return Object.assign(new class extends Module {}(), { midBlock })
}

test.each([4, 5] as const)('perturbed attentions are those of their authors, on a side of %i pixels', (side) => {
  const { q, k, v, attention, pag, 'seg_sigma0.5': narrow, seg_sigma1: wide, seg_inf: flat } = golden.cases[`attention_perturbations_side${side}`].out
  const tokens = (numbers: readonly number[]) => () => leaf(numbers, [1, 2, side ** 2, 3]).permute([0, 2, 1, 3]).reshape([1, side ** 2, 6])
  const model = modelOf({ toQ: tokens(q), toK: tokens(k), toV: tokens(v), toOut: (x) => x })
  const run = (wrappers: Wrappers): number[] => {
    const { attn1 } = model.midBlock
    const out = new Pass({ grid: [side, side] }, wrappers).run(attn1, [tokens(q)()], (x) => attn1.forward(x!))
    return read(out.reshape([1, side ** 2, 2, 3]).permute([0, 2, 1, 3]))
  }
  closeTo(attention, run(new Map()))
  closeTo(pag, run(perturbedAttention(model)))
  closeTo(narrow.attention, run(smoothedEnergy(model, { sigma: 0.5 })))
  closeTo(wide.attention, run(smoothedEnergy(model, { sigma: 1 })))
  closeTo(flat.attention, run(smoothedEnergy(model)))
  // Less and less blurred it is plain attention; blurred without end all rows are one.
  closeTo(attention, run(smoothedEnergy(model, { sigma: 0 })))
  closeTo(attention, run(smoothedEnergy(model, { sigma: 0.05 })))
  const rows = run(smoothedEnergy(model, { sigma: Infinity })).slice(0, 3 * side ** 2)
  closeTo(Array.from({ length: side ** 2 }, () => rows.slice(0, 3)).flat(), rows)
})

test('equal values come out of perturbed attention as they come out of plain attention', () => {
  const model = modelOf({ toQ: (x) => x, toK: (x) => x.mul(2), toV: (x) => x.mul(0).add(3), toOut: (x) => x })
  const { attn1 } = model.midBlock
  const x = waves(host, 'x', [1, 6, 6], 0, 1)
  const plain = read(attn1.forward(x))
  for (const wrappers of [perturbedAttention(model), smoothedEnergy(model), smoothedEnergy(model, { sigma: 1 })]) {
    closeTo(plain, read(new Pass({ grid: [2, 3] }, wrappers).run(attn1, [x], (t) => attn1.forward(t!))))
  }
})

test('a block without its attention, its feed-forward or itself is that of the formulas', () => {
  const { Wq, Wk, Wv, Wo, W1, W2, h, ...out } = golden.cases.skip_block.out
  const times = (numbers: readonly number[], columns: number) => (x: Tensor): Tensor => x.matmul(leaf(numbers, [numbers.length / columns, columns]))
  const model = modelOf({ toQ: times(Wq, 6), toK: times(Wk, 6), toV: times(Wv, 6), toOut: times(Wo, 6) })
  Object.assign(model.midBlock, {
    norm1: stays, norm2: stays, norm3: stays, attn2: new Given((x) => x.mul(0)), ff: new Given((x) => times(W2, 6)(times(W1, 8)(x).silu())),
  })
  const run = (wrappers: Wrappers): number[] => {
    const pass = new Pass({}, wrappers)
    return read(pass.run(model.midBlock, [leaf(h, [1, 4, 6])], (x) => model.midBlock.forward(x!, undefined, pass)))
  }
  closeTo(out.full, run(new Map()))
  closeTo(out.skip_layer, run(skippedLayers(model)))
  closeTo(out.skip_attention_only, run(skippedLayers(model, { part: 'selfAttention' })))
  closeTo(out.skip_ff_only, run(skippedLayers(model, { part: 'feedForward' })))
  closeTo(out.pag, run(perturbedAttention(model)))
})

test('attention that pixels receive is added up over those that pay it', () => {
  const { attn_probs: probabilities, mask } = golden.cases.sag.out
  // Queries that each pick a row of the logarithms.
  const keys = leaf(probabilities.map(Math.log), [1, 2, 16, 16]).permute([0, 3, 1, 2])
  const picks = leaf([...Array(256).keys()].map((i) => (i % 17 === 0 ? 4 : 0)), [1, 16, 1, 16]).expand([1, 16, 2, 16])
  expect(read(received(picks, keys)).map((v) => Number(v > 1))).toEqual(mask)
})

const unet = new UNet2DConditionModel(randomParameters(host, { seed: 1 }), {
  in_channels: 2, out_channels: 2, block_out_channels: [4, 4], norm_num_groups: 2, layers_per_block: 1, attention_head_dim: 2, cross_attention_dim: 6,
  down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'], up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
})
const x = waves(host, 'image', [1, 2, 4, 6], 0, 1)
const condition = { context: waves(host, 'context', [1, 3, 6], 0, 1) }
const forward = (wrappers: Wrappers): Tensor => unet.forward(x, 7, condition, { wrappers })

test('a UNet is perturbed where its layers are named, on images of any sides', () => {
  const plain = read(forward(new Map()))
  for (const make of [perturbedAttention, smoothedEnergy, skippedLayers]) {
    const all = make(unet, { layers: /./ })
    expect([make(unet).size, make(unet, { layers: 'up_blocks.1' }).size, make(unet, { layers: ['mid_block', 'down_blocks.0'] }).size, all.size]).toEqual([1, 2, 2, 4])
    expect(read(forward(all))).not.toEqual(plain)
    expect(() => make(unet, { layers: ['mid_block', 'mid'] })).toThrow(/at mid, got none; it has down_blocks\.0\.attentions\.0\.transformer_blocks\.0/)
    expect(() => make(unet, { layer: 'mid_block' } as never)).toThrow(ConfigError)
  }
  expect(() => smoothedEnergy(unet, { sigma: -1 })).toThrow(ConfigError)
})

test('a UNet tells what attention its pixels receive, as an image of mean 1', () => {
  const map = receivedAttention(unet)(x, tensor(host, [7]), condition)
  expect(map.shape).toEqual([1, 1, 2, 3])
  const got = read(map)
  expect(got.reduce((a, b) => a + b) / 6).toBeCloseTo(1, 9)
  expect(got.every((v) => v === got[0])).toBe(false)
  expect(() => receivedAttention(unet, { layers: 'up_blocks' })).toThrow('expected one self-attention, got up_blocks.1.attentions.0')
})

test('self-attention over images, of models without prompts, is perturbed too', () => {
  const model = Object.assign(new class extends Module {}(), {
    midBlock: new AttentionBlock2D(randomParameters(host, { seed: 3 }), { channels: 4, headWidth: 2, groups: 2, eps: 1e-5 }),
  })
  const picture = waves(host, 'picture', [1, 4, 2, 3], 0, 1)
  const run = (wrappers: Wrappers): number[] => read(new Pass({}, wrappers).run(model.midBlock, [picture], (t) => model.midBlock.forward(t!)))
  const plain = run(new Map())
  closeTo(plain, run(smoothedEnergy(model, { sigma: 0.05 })))
  expect(run(smoothedEnergy(model, { sigma: 1 }))).not.toEqual(plain)
  expect(run(perturbedAttention(model))).not.toEqual(plain)
})
