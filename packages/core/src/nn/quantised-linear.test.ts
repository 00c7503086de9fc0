import { expect, test } from 'vitest'
import { evaluate, gradients, type Tensor, tensor } from '../index.ts'
import { FakeHost, interpret, noise } from '../testing/index.ts'
import {
  adapterParameters, addAdapter, Linear, linears, lora, mapModules, mergedState, Module, MultiHeadAttention, QuantisedLinear, randomParameters,
} from './index.ts'

const host = new FakeHost()
const numbers = (t: Tensor): number[] => [...interpret([t])[0] ?? []]
const close = (values: readonly number[], digits = 10): unknown[] => values.map((v) => expect.closeTo(v, digits) as unknown)

/** The layer and its twin, evaluated; x, and what the twin's own codes and scales make of it by plain loops in float64. */
async function pairOf(inputs: number, weight?: readonly number[]): Promise<{ layer: Linear; small: QuantisedLinear; x: Tensor; reference: number[] }> {
  const outputs = 3
  const layer = new Linear(tensor(host, weight ?? noise(outputs * inputs, 1), [outputs, inputs]), tensor(host, noise(outputs, 2)))
  const small = QuantisedLinear.of(layer)
  await evaluate(...small.parameters())
  const x = tensor(host, noise(2 * inputs, 3), [2, inputs])
  const [codes, scale, bias, xs] = await Promise.all([small.codes, small.scale, layer.bias as Tensor, x].map((t) => t.data()))
  const width = Math.ceil(inputs / 4)
  const entry = (o: number, i: number): number => (((codes?.[o * width + (i >> 2)] ?? 0) << (24 - 8 * (i & 3))) >> 24) * (scale?.[o] ?? 0)
  const reference = Array.from({ length: 2 * outputs }, (_, k) => {
    const [n, o] = [Math.floor(k / outputs), k % outputs]
    return Array.from({ length: inputs }, (_, i) => (xs?.[n * inputs + i] ?? 0) * entry(o, i)).reduce((a, b) => a + b, bias?.[o] ?? 0)
  })
  return { layer, small, x, reference }
}

test.each([1, 4, 7, 33])('a quantised layer of %i inputs is the product of its own codes, and half a step of each weight from the layer', async (inputs) => {
  const { layer, small, x, reference } = await pairOf(inputs)
  expect(numbers(small.forward(x))).toEqual(close(reference))
  const [w, q, scale] = [numbers(layer.weight), numbers(small.plainWeight()), numbers(small.scale)]
  // Codes are rounded in f32.
  for (const [i, v] of w.entries()) expect(Math.abs(v - (q[i] ?? Number.NaN))).toBeLessThanOrEqual((scale[Math.floor(i / inputs)] ?? 0) * 0.50001)
  const step = Math.max(...scale) * 0.50001
  const reach = [0, 1].map((n) => numbers(x).slice(n * inputs, (n + 1) * inputs).reduce((sum, v) => sum + Math.abs(v), 0))
  numbers(layer.forward(x)).forEach((v, k) => { expect(Math.abs(v - (reference[k] ?? Number.NaN))).toBeLessThanOrEqual(step * (reach[Math.floor(k / 3)] ?? 0)) })
})

test('many rows are multiplied by the weight that the bytes stand for, and give what few rows do', async () => {
  const { small, x } = await pairOf(7)
  const many = tensor(host, [...numbers(x), ...numbers(x), ...numbers(x)], [6, 7])
  expect(numbers(small.forward(many)).slice(0, 6)).toEqual(close(numbers(small.forward(x))))
})

test('rows of zeros stay zeros, and extremes their value', async () => {
  const { small } = await pairOf(4, [0, 0, 0, 0, 1, -1, 0.5, 0, -3, 3, 0, 1.5])
  expect(numbers(small.plainWeight())).toEqual(close([0, 0, 0, 0, 1, -1, 64 / 127, 0, -3, 3, 0, 3 * 64 / 127], 6))
})

test('it takes a quarter of the memory, and shares its bias', async () => {
  const layer = Linear.of(randomParameters(host, { seed: 1 }), 64, 32)
  const small = QuantisedLinear.of(layer)
  expect([small.codes.size, small.scale.size, small.dtype]).toEqual([layer.weight.size / 4, 32, 'f32'])
  expect(small.bias).toBe(layer.bias)
})

/** Layers of all the kinds of use: alone, side by side, and in an attention. */
class Net extends Module {
  readonly first: Linear
  readonly second: Linear
  readonly attention: MultiHeadAttention
  constructor() {
    super()
    const init = randomParameters(host, { seed: 5 })
    this.first = Linear.of(init, 8, 8)
    this.second = Linear.of(init, 8, 8)
    this.attention = new MultiHeadAttention(init, { width: 8, heads: 2, headWidth: 4 })
  }
  forward(x: Tensor): Tensor {
    const [a, b] = linears([this.first, this.second], x).map((terms) => terms.reduce((s, t) => s.add(t))) as [Tensor, Tensor]
    return this.attention.forward(a.mul(b.sigmoid()))
  }
}

test('a model runs with it in the place of every linear layer, and adapters act and train on it', async () => {
  const net = new Net()
  addAdapter(net, 'lora', lora({ rank: 2, targets: /first|to_q/ }))
  let seed = 20
  for (const t of adapterParameters(net, 'lora').values()) t.write(noise(t.size, seed++))
  const small = mapModules(net, (layer) => (layer instanceof Linear ? QuantisedLinear.of(layer) : layer))
  await evaluate(...small.parameters())
  // The same numbers as they come out of the codes, in plain layers.
  const twin = mapModules(net, (layer, name) => {
    const quantised = new Map(small.namedModules()).get(name)
    return quantised instanceof QuantisedLinear ? new Linear(quantised.plainWeight(), quantised.bias, layer as Linear) : layer
  })
  const x = tensor(host, noise(3 * 8, 9), [1, 3, 8])
  for (const weights of [{}, { lora: 0.5 }]) {
    const got = numbers(small.with(weights).forward(x))
    expect(got).toEqual(close(numbers(twin.with(weights).forward(x))))
    expect(got).toEqual(close(numbers(net.with(weights).forward(x)), 1))
  }
  expect(numbers(small.with({ lora: 1 }).forward(x))).not.toEqual(numbers(small.forward(x)))
  const pair = [...adapterParameters(small, 'lora').values()]
  const slopes = (model: Net): number[][] => gradients(model.with({ lora: 1 }).forward(x).square().sum(), pair).map(numbers)
  expect(slopes(small)).toEqual(slopes(twin).map((row) => close(row)))
  expect(() => mergedState(small, { lora: 1 })).toThrow('mergedState: expected layers that keep their weight as it is, got "first"')
})
