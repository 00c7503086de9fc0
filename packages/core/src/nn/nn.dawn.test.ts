import { afterAll, beforeAll, expect, test } from 'vitest'
import { CheckpointError, ConfigError, conv2d, Device, evaluate, gradients, linear, randn, type Tensor, tensor } from '../index.ts'
import { encodeSafetensors, readSafetensors } from '../io/index.ts'
import { FakeHost, noise } from '../testing/index.ts'
import { foldedWeight } from './adapters/adaptable-layer.ts'
import {
  adapterNames, adapterParameters, addAdapter, Conv2d, Embedding, GroupNorm, type Initialiser, LayerNorm, Linear,
  linears, lora, LowRank, mergedState, Module, MultiHeadAttention, placeholders, randomParameters, removeAdapter, RMSNorm,
  setAdapter,
} from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

class FeedForward extends Module {
  readonly net: readonly [Linear, undefined, Linear]
  constructor(init: Initialiser) {
    super()
    this.net = [Linear.of(init, 6, 12), undefined, Linear.of(init, 12, 6, { bias: false })]
  }
  forward(x: Tensor): Tensor {
    return this.net[2].forward(this.net[0].forward(x).silu())
  }
}

class Net extends Module {
  readonly convIn: Conv2d
  readonly timeEmbProj: Linear
  readonly linear_1: Linear
  readonly norm1: GroupNorm
  readonly downBlocks: readonly FeedForward[]
  constructor(seed: number) {
    super()
    const init = randomParameters(device, { seed })
    this.convIn = Conv2d.of(init, 3, 6, 3, { padding: 1, stride: 2 })
    this.timeEmbProj = Linear.of(init, 6, 6)
    this.linear_1 = Linear.of(init, 6, 6)
    this.norm1 = GroupNorm.of(init, 2, 6)
    this.downBlocks = [new FeedForward(init), new FeedForward(init)]
  }
  forward(x: Tensor): Tensor {
    const h = this.norm1.forward(this.convIn.forward(x))
    const tokens = h.reshape([x.shape[0] ?? 1, 6, -1]).transpose()
    return this.downBlocks.reduce((y, block) => block.forward(y), this.linear_1.forward(this.timeEmbProj.forward(tokens)))
  }
}

const names = [
  'conv_in.weight', 'conv_in.bias', 'time_emb_proj.weight', 'time_emb_proj.bias', 'linear_1.weight', 'linear_1.bias',
  'norm1.weight', 'norm1.bias', 'down_blocks.0.net.0.weight', 'down_blocks.0.net.0.bias', 'down_blocks.0.net.2.weight',
  'down_blocks.1.net.0.weight', 'down_blocks.1.net.0.bias', 'down_blocks.1.net.2.weight',
]

const input = (): Tensor => randn(device, [2, 3, 8, 8], { seed: 5 })
const values = async (t: Tensor): Promise<Float32Array> => {
  const out = await t.data() as Float32Array
  t.dispose()
  return out
}
const gap = (a: Float32Array, b: Float32Array): number => Math.max(...a.map((v, i) => Math.abs(v - (b[i] ?? Number.NaN))))

/** Gives B values, as training would. */
async function perturb(model: Module, adapter: string, seed: number): Promise<void> {
  const state = new Map<string, Tensor>()
  for (const [name, t] of adapterParameters(model, adapter)) state.set(name, randn(device, t.shape, { seed: seed + state.size }))
  await evaluate(...state.values())
  setAdapter(model, adapter, state, { alpha: 2 })
}

test('parameters have the names of checkpoints, through arrays with gaps', () => {
  using net = new Net(1)
  expect([...net.namedParameters()].map(([name]) => name)).toEqual(names)
  expect(net.parameterCount).toBe(3 * 6 * 9 + 6 + 2 * 42 + 12 + 2 * (72 + 12 + 72))
})

test('equal seeds give equal models, within the bounds of the default initialisation', async () => {
  using a = new Net(7)
  using b = new Net(7)
  using c = new Net(8)
  const [va, vb, vc] = [await a.convIn.weight.data(), await b.convIn.weight.data(), await c.convIn.weight.data()]
  expect(va).toEqual(vb)
  expect(va).not.toEqual(vc)
  const bound = 1 / Math.sqrt(27)
  expect(Math.max(...va)).toBeLessThanOrEqual(bound)
  // 162 draws that all keep away from the bound by a tenth would be a chance of 1e-7.
  expect(Math.max(...va)).toBeGreaterThan(0.9 * bound)
})

test('layers compute what their formulas say', async () => {
  const init = randomParameters(device, { seed: 3 })
  using x = tensor(device, [3, 4, 0, 0], [2, 2])
  using rms = RMSNorm.of(init, 2, { eps: 0.5 })
  expect(gap(await values(rms.forward(x)), Float32Array.of(3, 4, 0, 0).map((v) => v / Math.sqrt(13)))).toBeLessThan(1e-6)
  using layer = LayerNorm.of(init, 2, { eps: 0 })
  using y = tensor(device, [1, 3, 7, 5], [2, 2])
  expect(gap(await values(layer.forward(y)), Float32Array.of(-1, 1, 1, -1))).toBeLessThan(1e-6)
  using table = new Embedding(tensor(device, [1, 2, 3, 4, 5, 6], [3, 2]))
  using rows = tensor(device, [2, 0], [2], { dtype: 'i32' })
  expect([...await values(table.forward(rows))]).toEqual([5, 6, 1, 2])
})

test('attention that sees one token gives its value, whatever is asked', async () => {
  using attention = new MultiHeadAttention(randomParameters(device, { seed: 3 }), { width: 8, heads: 2, headWidth: 4, contextWidth: 5 })
  using context = randn(device, [1, 1, 5], { seed: 1 })
  using x = randn(device, [1, 3, 8], { seed: 2 })
  const y = await values(attention.forward(x, context))
  const value = await values(attention.toOut[0].forward(attention.toV.forward(context)))
  expect(gap(y, Float32Array.from({ length: 24 }, (_, i) => value[i % 8] ?? 0))).toBeLessThan(1e-6)
})

test('the activation of a norm is what follows it otherwise, gradients of any of its operands too', async () => {
  using norm = new GroupNorm(2, randn(device, [8], { seed: 1 }), randn(device, [8], { seed: 2 }))
  using x = randn(device, [3, 8, 4, 4], { seed: 3 })
  for (const of of [[x], [norm.weight, norm.bias], [x, norm.weight, norm.bias]]) {
    const [got, want] = [norm.forward(x, { activation: 'silu' }), norm.forward(x).silu()].map((y) => [y, ...gradients(y.square().sum(), of)])
    await evaluate(...got ?? [], ...want ?? [])
    for (const [i, t] of (got ?? []).entries()) {
      const expected = await values(want?.[i] as Tensor)
      // Relative to the largest: sums of some hundred terms in f32.
      expect(gap(await values(t), expected)).toBeLessThan(2e-6 * Math.max(...expected.map(Math.abs)))
    }
  }
})

test('a model without active adapters is the base, to the bit', async () => {
  using net = new Net(1)
  using x = input()
  const before = await values(net.forward(x))
  addAdapter(net, 'dpo', lora({ rank: 2, targets: /time_emb|net|conv/, seed: 4 }))
  await perturb(net, 'dpo', 10)
  expect(await values(net.forward(x))).toEqual(before)
  expect(await values(net.with({}).forward(x))).toEqual(before)
  expect(await values(net.with({ dpo: 0 }).forward(x))).toEqual(before)
  expect(await values(net.with({ dpo: 1 }).forward(x))).not.toEqual(before)
})

test('a fresh adapter changes nothing', async () => {
  using net = new Net(1)
  using x = input()
  addAdapter(net, 'dpo', lora({ rank: 2, targets: /./ }))
  expect(await values(net.with({ dpo: 1 }).forward(x))).toEqual(await values(net.forward(x)))
})

test('adapters beside the weights equal adapters folded into them, on linear and strided convolution layers alike', async () => {
  using net = new Net(1)
  using x = input()
  addAdapter(net, 'dpo', lora({ rank: 2, targets: /net\.0|conv_in/, seed: 4 }))
  addAdapter(net, 'npo', lora({ rank: 3, targets: /net|linear/, seed: 5 }))
  await perturb(net, 'dpo', 10)
  await perturb(net, 'npo', 30)
  const weights = { dpo: 0.5, npo: -0.25 }
  const merged = mergedState(net, weights)
  const changed = [...merged].filter(([name, t]) => net.state().get(name) !== t)
  expect(changed.map(([name]) => name)).toEqual(names.filter((n) => /(conv_in|linear_1|net\.\d)\.weight/.test(n)))
  const beside = await values(net.with(weights).forward(x))
  const inside = await values(net.withParameters(merged).forward(x))
  // Outputs are some 1 in size and both sum in f32, in another order.
  expect(gap(beside, inside)).toBeLessThan(1e-5)
  expect(gap(beside, await values(net.forward(x)))).toBeGreaterThan(0.05)
})

test.each([
  { name: 'narrow linear', inside: true, layer: (init: Initialiser) => Linear.of(init, 12, 8), shape: [5, 12] },
  { name: 'wide linear', inside: false, layer: (init: Initialiser) => Linear.of(init, 96, 80), shape: [5, 96] },
  { name: 'narrow convolution', inside: true, layer: (init: Initialiser) => Conv2d.of(init, 4, 8, 3, { padding: 1, stride: 2 }), shape: [2, 4, 6, 6] },
  { name: 'wide convolution', inside: false, layer: (init: Initialiser) => Conv2d.of(init, 24, 40, 3, { padding: 1, stride: 2 }), shape: [2, 24, 6, 6] },
])('adapters go into the weight of a $name layer or beside it, to the same values and gradients', async ({ inside, layer: make, shape }) => {
  using layer = make(randomParameters(device, { seed: 3 }))
  const [rank, scale, weight] = [2, 1.5, 0.7]
  const { a: { shape: shapeA }, b: { shape: shapeB } } = lora({ rank, targets: /./ }).begin(new FakeHost())(layer) as LowRank
  using a = randn(device, shapeA, { seed: 1 })
  using b = randn(device, shapeB, { seed: 2 })
  using x = randn(device, shape, { seed: 4 })
  const pair = new LowRank(a, b, scale * rank)
  layer.adapters.set('npo', pair)
  layer.active = new Map([['npo', weight]])
  expect(foldedWeight(layer, [[pair, weight]]) !== undefined).toBe(inside)
  const beside = layer instanceof Linear ? linear(linear(x, a), b) : conv2d(conv2d(x, a, { padding: 1, stride: 2 }), b)
  const got = layer.forward(x)
  layer.active = new Map()
  const want = layer.forward(x).add(beside.mul(weight * scale))
  const slopes = [got, want].flatMap((y) => gradients(y.square().mean(), [a, b]))
  const [gotA, gotB, wantA, wantB] = await Promise.all(slopes.map(values)) as [Float32Array, Float32Array, Float32Array, Float32Array]
  // Values are some 10 in size, gradients some 1, and sums in f32 have up to a thousand terms.
  expect(gap(await values(got), await values(want))).toBeLessThan(5e-5)
  expect(gap(gotA, wantA)).toBeLessThan(1e-5)
  expect(gap(gotB, wantB)).toBeLessThan(1e-5)
  layer.adapters.clear()
})

test('other adapter weights plan and compile nothing', async () => {
  using net = new Net(1)
  using x = input()
  addAdapter(net, 'dpo', lora({ rank: 2, targets: /net/ }))
  await values(net.with({ dpo: 1 }).forward(x))
  const { plans, pipelines } = device.counters()
  for (const dpo of [0, 0.5, -2]) await values(net.with({ dpo }).forward(x))
  expect(device.counters()).toMatchObject({ plans, pipelines })
})

test('only the adapter gets gradients, and A gets none while B is zero', async () => {
  using net = new Net(1)
  using x = input()
  addAdapter(net, 'dpo', lora({ rank: 2, targets: /net\.2/ }))
  const params = adapterParameters(net, 'dpo')
  expect([...params.keys()]).toEqual([0, 1].flatMap((i) => ['A', 'B'].map((k) => `down_blocks.${i}.net.2.lora_${k}.weight`)))
  const grads = gradients(net.with({ dpo: 1 }).forward(x).square().mean(), [...params.values()])
  await evaluate(...grads)
  const [a, b] = await Promise.all(grads.slice(0, 2).map(values))
  expect(Math.max(...a!.map(Math.abs))).toBe(0)
  expect(Math.max(...b!.map(Math.abs))).toBeGreaterThan(1e-3)
  for (const g of grads) g.dispose()
})

test('unknown, repeated and unmatched adapters are refused by name', () => {
  using net = new Net(1)
  expect(() => net.with({ dpo: 1 })).toThrow(/it has none.*got "dpo"/)
  addAdapter(net, 'dpo', lora({ rank: 1, targets: /net/ }))
  expect(() => mergedState(net, { npo: 1 })).toThrow(/\(dpo\), got "npo"/)
  expect(() => addAdapter(net, 'dpo', lora({ rank: 1, targets: /net/ }))).toThrow(ConfigError)
  expect(() => addAdapter(net, 'npo', lora({ rank: 1, targets: /nothing/ }))).toThrow(ConfigError)
  expect(() => setAdapter(net, 'npo', new Map([['nowhere.lora_A.weight', net.linear_1.weight]]))).toThrow(CheckpointError)
  const swapped = new Map([['linear_1.lora_A.weight', net.linear_1.weight], ['linear_1.lora_B.weight', net.convIn.weight]])
  expect(() => setAdapter(net, 'npo', swapped)).toThrow(/linear_1 \(expected lora_A.weight \[6,6\] and lora_B.weight \[6,6\], got \[6,6\] and \[6,3,3,3\]\)/)
  removeAdapter(net, 'dpo')
  expect(adapterNames(net)).toEqual([])
})

test('a model loads what another one saved, as tensors and as a file of halves', async () => {
  using from = new Net(1)
  using x = input()
  const want = await values(from.forward(x))
  const entries = await Promise.all([...from.namedParameters()].map(async ([name, t]) => ({ name, dtype: 'F32' as const, shape: t.shape, data: await t.data() })))
  await using file = await readSafetensors(encodeSafetensors(entries))
  using to = new Net(2)
  await to.load(file)
  expect(await values(to.forward(x))).toEqual(want)
  using again = new Net(3)
  await again.load(new Map(entries.map((e) => [e.name, tensor(device, e.data, e.shape)])))
  expect(await values(again.forward(x))).toEqual(want)
})

test('loading lists what is missing, unexpected or of another shape, and changes nothing', async () => {
  using net = new Net(1)
  using stray = tensor(device, [1], [1])
  const before = await net.linear_1.bias!.data()
  const state = new Map([...net.state(), ['stray', stray]] as [string, Tensor][])
  state.delete('norm1.bias')
  state.set('linear_1.bias', stray)
  await expect(net.load(state)).rejects.toThrow(
    '1 missing: norm1.bias; 1 unexpected: stray; 1 of another shape: linear_1.bias (expected [6], got [1])',
  )
  expect(await net.linear_1.bias!.data()).toEqual(before)
  expect(() => net.withParameters(new Map([['norm1.bias', stray]]))).toThrow(CheckpointError)
})

test('placeholders take no memory until weights are loaded', async () => {
  const before = device.memory()
  const init = placeholders(device)
  using layer = Linear.of(init, 64, 64)
  expect(device.memory()).toEqual(before)
  await layer.load(new Map([['weight', randn(device, [64, 64], { seed: 1 })], ['bias', randn(device, [64], { seed: 2 })]]))
  expect(device.memory().tensors).toBe(before.tensors + 2)
})

test('everything is given back', () => {
  expect(device.memory().tensors).toBe(0)
})

test('weights of layers on one input are moved together once, and stay tensors of their own', async () => {
  const init = randomParameters(device, { seed: 3 })
  const layers = [6, 4, 10].map((n) => Linear.of(init, 64, n))
  using x = tensor(device, noise(2 * 64, 4), [2, 64])
  const run = async (): Promise<number[][]> => {
    const ys = [...linears(layers, x).map((terms) => terms.reduce((a, b) => b.add(a))), ...layers.map((l) => l.forward(x))]
    await evaluate(...ys)
    const got = await Promise.all(ys.map(async (y) => [...await y.data()]))
    for (const y of ys) y.dispose()
    return got
  }
  const first = await run()
  first.slice(0, 3).forEach((y, k) => expect(y).toEqual(first[3 + k]?.map((v) => expect.closeTo(v, 5) as unknown)))
  const { buffers } = device.counters()
  layers[1]?.weight.write(new Float32Array(256))
  const second = await run()
  expect(device.counters().buffers).toBe(buffers)
  expect(second[1]).toEqual([...await (layers[1]?.bias?.data() ?? []), ...await (layers[1]?.bias?.data() ?? [])])
  expect([second[0], second[2]]).toEqual([first[0], first[2]])
  for (const l of layers) l.dispose()
})
