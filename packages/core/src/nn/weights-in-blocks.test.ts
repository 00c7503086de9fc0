import { expect, test } from 'vitest'
import { conv2d, DTypeError, gradients, NumericError, type Tensor, tensor } from '../index.ts'
import { FakeHost, interpret, noise } from '../testing/index.ts'
import {
  adapterParameters, addAdapter, Conv2d, GroupNorm, Linear, linears, lora, mergedState, Module, MultiHeadAttention, placeholders,
  randomParameters,
} from './index.ts'

const host = new FakeHost()
const numbers = (t: Tensor): number[] => [...interpret([t])[0] ?? []]
const close = (values: readonly number[], digits = 10): unknown[] => values.map((v) => expect.closeTo(v, digits) as unknown)

/** Layers of all the kinds of use: alone, side by side, in an attention, and of images. */
class Net extends Module {
  readonly first: Linear
  readonly second: Linear
  readonly attention: MultiHeadAttention
  readonly odd: Linear
  readonly conv: Conv2d
  readonly norm: GroupNorm
  constructor(weights?: 'q8_0' | 'q4_0') {
    super()
    const init = randomParameters(host, { seed: 5, ...weights && { weights } })
    this.first = Linear.of(init, 32, 64)
    this.second = Linear.of(init, 32, 64, { bias: false })
    this.attention = new MultiHeadAttention(init, { width: 64, heads: 2, headWidth: 32 })
    this.odd = Linear.of(init, 64, 31)
    this.conv = Conv2d.of(init, 32, 4, 3, { padding: 1 })
    this.norm = GroupNorm.of(init, 1, 4)
  }
  forward(x: Tensor): Tensor {
    const [a, b] = linears([this.first, this.second], x).map((terms) => terms.reduce((s, t) => s.add(t))) as [Tensor, Tensor]
    const y = this.attention.forward(a.mul(b.sigmoid()))
    const images = this.norm.forward(this.conv.forward(x.reshape([1, 3, 2, 32]).permute([0, 3, 1, 2])))
    return this.odd.forward(y).mean().add(images.square().mean())
  }
}

/** The same layers with the numbers that blocks stand for. */
async function twinOf(net: Net): Promise<Net> {
  const twin = new Net()
  await twin.load(new Map(await Promise.all([...net.state()].map(async ([name, t]) => [name, tensor(host, await t.data(), t.shape)] as const))))
  return twin
}

test('weights of products are in blocks, and all else and what fills none stays', () => {
  const types = Object.fromEntries([...new Net('q8_0').state()].map(([name, t]) => [name, t.dtype]))
  expect(types).toMatchObject({
    'first.weight': 'q8_0', 'first.bias': 'f32', 'attention.to_q.weight': 'q8_0', 'conv.weight': 'q8_0', 'norm.weight': 'f32',
  })
  expect(new Net('q8_0').dtype).toBe('f32')
  const first = Conv2d.of(placeholders(host, { dtype: 'f16', weights: 'q4_0' }), 4, 8, 3)
  expect([first.weight.dtype, first.bias?.dtype]).toEqual(['f16', 'f16'])
  expect(() => placeholders(host, { weights: 'q4_k' as never })).toThrow("expected weights to be 'q8_0' or 'q4_0', got 'q4_k'")
})

test.each(['q8_0', 'q4_0'] as const)('a model of %s computes with the numbers they stand for, and adapters act and train on it', async (type) => {
  const net = new Net(type)
  const twin = await twinOf(net)
  const x = tensor(host, noise(6 * 32, 9), [1, 6, 32])
  for (const model of [net, twin]) {
    addAdapter(model, 'lora', lora({ rank: 2, targets: /first|to_q|conv/, seed: 3 }))
    let seed = 20
    for (const t of adapterParameters(model, 'lora').values()) t.write(noise(t.size, seed++))
  }
  for (const weights of [{}, { lora: 0.5 }]) {
    expect(numbers(net.with(weights).forward(x))).toEqual(close(numbers(twin.with(weights).forward(x))))
  }
  const slopes = (model: Net): number[][] => (
    gradients(model.with({ lora: 1 }).forward(x), [x, ...adapterParameters(model, 'lora').values()]).map(numbers)
  )
  expect(slopes(net)).toEqual(slopes(twin).map((row) => close(row)))
  const merged = net.withParameters(mergedState(net, { lora: 0.5 }))
  expect(numbers(merged.forward(x))).toEqual(close(numbers(twin.with({ lora: 0.5 }).forward(x))))
})

test('only weights at hand are numbers, in a forward pass, in two, or in a gradient', () => {
  const init = placeholders(host, { dtype: 'f16' })
  const layers = Array.from({ length: 8 }, () => new Linear(tensor(host, noise(256 * 256, 1), [256, 256], { dtype: 'q8_0' }), init.filled([256], 0)))
  const pass = (x: Tensor): Tensor => layers.reduce((y, layer) => layer.forward(y).silu(), x)
  const x = tensor(host, noise(4 * 256, 2), [4, 256], { dtype: 'f16' })
  const weight = 256 * 256 * 2
  expect(host.plan(pass(x)).peakBytes).toBeLessThan(1.5 * weight)
  expect(host.plan(pass(x).add(pass(x.neg()))).peakBytes).toBeLessThan(2.5 * weight)
  expect(host.plan(...gradients(pass(x).mean(), [x])).peakBytes).toBeLessThan(2.5 * weight)
})

test('blocks come from uploads and files alone, and are numbers before they are computed with', async () => {
  const t = tensor(host, noise(64, 1), [2, 32], { dtype: 'q8_0' })
  expect(numbers(t.reshape([64]).to('bf16')).length).toBe(64)
  expect((await t.data()).length).toBe(64)
  expect(() => t.add(1)).toThrow(DTypeError)
  expect(() => t.transpose()).toThrow("permute: expected numbers to compute with, got q8_0; cast them with .to('f16') or .to('f32')")
  expect(() => t.to('f32').to('q8_0')).toThrow('upload the numbers with tensor()')
  expect(() => tensor(host, noise(33, 1), [33], { dtype: 'q8_0' })).toThrow('expected whole blocks of 32 numbers in q8_0, got [33]')
  expect(() => tensor(host, [Number.NaN, ...noise(31, 1)], [32], { dtype: 'q8_0' })).toThrow(NumericError)
  const x = tensor(host, noise(32, 3), [1, 32, 1, 1])
  expect(numbers(conv2d(x, t.reshape([2, 32, 1, 1])))).toEqual(close(numbers(conv2d(x, t.to('f32').reshape([2, 32, 1, 1])))))
})
