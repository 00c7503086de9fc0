import { expect, test } from 'vitest'
import { CheckpointError, ConfigError, constant, type Tensor, tensor } from '../index.ts'
import { encodeSafetensors, readSafetensors, type SafetensorsDType } from '../io/index.ts'
import { FakeHost } from '../testing/index.ts'
import {
  adapterAlphas, adapterParameters, addAdapter, Conv2d, Embedding, GroupNorm, LayerNorm, Linear, lora, mergedState,
  Module, MultiHeadAttention, randomParameters, type RandomParametersOptions, removeAdapter, RMSNorm, setAdapter,
} from './index.ts'

const host = new FakeHost()
const init = randomParameters(host, { seed: 1 })
const x = constant(host, [1, 2, 3, 4], [1, 4])

/** Two layers that carry adapters; the second can have groups. */
class Net extends Module {
  readonly first: Linear
  readonly second: Conv2d
  constructor(on: FakeHost = host, options: Partial<RandomParametersOptions> = {}, groups = 1) {
    super()
    const parameters = randomParameters(on, { seed: 1, ...options })
    this.first = Linear.of(parameters, 3, 2)
    this.second = Conv2d.of(parameters, 4, 2, 1, { groups })
  }
}

test.each<[string, () => unknown]>([
  ['Linear: expected inputs to be a whole number of 1 or more, got -1', () => Linear.of(init, -1, 2)],
  ['Linear: expected outputs to be', () => Linear.of(init, 1, 2.5)],
  ['Linear: expected options among bias, got features', () => Linear.of(init, 1, 2, { features: 3 } as never)],
  ['Linear: expected bias to be true or false', () => Linear.of(init, 1, 2, { bias: 1 as never })],
  ['Conv2d: expected kernel to be', () => Conv2d.of(init, 4, 4, 0)],
  ['Conv2d: expected groups that divide channels and filters, got 3 for 4 and 4', () => Conv2d.of(init, 4, 4, 3, { groups: 3 })],
  ['Conv2d: expected stride to be', () => Conv2d.of(init, 4, 4, 3, { stride: 0 })],
  ['Conv2d: expected padding to be', () => Conv2d.of(init, 4, 4, 3, { padding: [1, 1, 1] as never })],
  ['Conv2d: expected options among stride, padding, groups, bias, got dilation', () => Conv2d.of(init, 4, 4, 3, { dilation: 2 } as never)],
  ['Conv2d: expected options among stride, padding, groups, got dilation', () => new Conv2d(x, undefined, { dilation: 2 } as never)],
  ['Embedding: expected count to be', () => Embedding.of(init, 0, 4)],
  ['GroupNorm: expected groups that divide the channels, got 3 for 4', () => GroupNorm.of(init, 3, 4)],
  ['GroupNorm: expected eps to be a finite number of 0 or more, got NaN', () => GroupNorm.of(init, 2, 4, { eps: Number.NaN })],
  ['GroupNorm: expected options among activation, got eps', () => GroupNorm.of(init, 2, 4).forward(x, { eps: 1 } as never)],
  ['GroupNorm: expected groups to be', () => new GroupNorm(0, x, x)],
  ['LayerNorm: expected eps to be', () => new LayerNorm(x, x, -1)],
  ['LayerNorm: expected options among eps, got epsilon', () => LayerNorm.of(init, 4, { epsilon: 1 } as never)],
  ['RMSNorm: expected the size to be', () => RMSNorm.of(init, 0)],
  ['MultiHeadAttention: expected heads to be', () => new MultiHeadAttention(init, { width: 4, heads: 1.5, headWidth: 2 })],
  ['MultiHeadAttention: expected options among width, heads, headWidth, contextWidth, bias, got dropout', () => new MultiHeadAttention(init, { width: 4, heads: 1, headWidth: 2, dropout: 0.1 } as never)],
  ['MultiHeadAttention: expected options among mask, causal, attend, got scale', () => new MultiHeadAttention(init, { width: 4, heads: 1, headWidth: 2 }).forward(x, x, { scale: 1 } as never)],
  ["randomParameters: expected dtype to be 'f32' or 'f16' or 'bf16', got 'i32'", () => randomParameters(host, { seed: 1, dtype: 'i32' })],
  ['randomParameters: expected seed to be', () => randomParameters(host, { seed: Number.NaN })],
  ['lora: expected rank to be a whole number of 1 or more, got 0', () => { addAdapter(new Net(), 'a', lora({ rank: 0, targets: /./ })) }],
  ['lora: expected rank to be', () => { addAdapter(new Net(), 'a', lora({ rank: 2.5, targets: /./ })) }],
  ['lora: expected alpha to be a finite number, got NaN', () => { addAdapter(new Net(), 'a', lora({ rank: 2, alpha: Number.NaN, targets: /./ })) }],
  ['lora: expected targets to be a RegExp or a function', () => { addAdapter(new Net(), 'a', lora({ rank: 2, targets: 'first' as never })) }],
  ['addAdapter: expected the name to be', () => { addAdapter(new Net(), '', lora({ rank: 2, targets: /./ })) }],
  ['lora: expected options among rank, alpha, targets, seed, got dropout', () => { addAdapter(new Net(), 'a', lora({ rank: 2, targets: /./, dropout: 0 } as never)) }],
  ['lora: expected a layer of one group, got 2', () => { addAdapter(new Net(host, {}, 2), 'a', lora({ rank: 2, targets: /second/ })) }],
])('%s', (message, run) => {
  expect(run).toThrow(ConfigError)
  expect(run).toThrow(message)
})

test('weights of adapters are finite numbers, and an alpha is for a layer that has a pair', () => {
  const net = new Net()
  addAdapter(net, 'a', lora({ rank: 2, alpha: 3, targets: /first/ }))
  expect(adapterAlphas(net, 'a')).toEqual(new Map([['first', 3]]))
  expect(() => net.with({ a: Number.NaN })).toThrow('with: expected the weight of "a" to be a finite number, got NaN')
  expect(() => mergedState(net, { a: Infinity })).toThrow('mergedState: expected the weight of "a" to be a finite number')
  expect(() => { removeAdapter(net, 'b') }).toThrow('removeAdapter: expected an adapter of the model (a), got "b"')
  expect(() => adapterAlphas(net, 'b')).toThrow('adapterAlphas: expected an adapter of the model (a), got "b"')
  const tensors = adapterParameters(net, 'a')
  expect(() => { setAdapter(net, 'a', tensors, { alpha: Number.NaN }) }).toThrow('setAdapter: expected alpha to be a finite number')
  expect(() => { setAdapter(net, 'a', tensors, { alpha: new Map([['second', 1]]) }) }).toThrow('expected an alpha for layers that have a pair, got one for second')
  setAdapter(net, 'a', tensors, { alpha: new Map([['first', 0.5]]) })
  expect(adapterAlphas(net, 'a')).toEqual(new Map([['first', 0.5]]))
})

test('an adapter may be put on again with tensors that it has', async () => {
  const net = new Net()
  addAdapter(net, 'a', lora({ rank: 1, targets: /first/ }))
  setAdapter(net, 'a', adapterParameters(net, 'a'), { alpha: 2 })
  expect(await adapterParameters(net, 'a').get('first.lora_B.weight')?.data()).toEqual(Float32Array.of(0, 0))
})

const shapes = { 'first.weight': [2, 3], 'first.bias': [2], 'second.weight': [2, 4, 1, 1], 'second.bias': [2] }
const fileOf = (dtypes: Readonly<Record<string, SafetensorsDType>> = {}, value = 0): ReturnType<typeof readSafetensors> =>
  readSafetensors(encodeSafetensors(Object.entries(shapes).map(([name, shape]) => {
    const [size, dtype] = [shape.reduce((a, b) => a * b, 1), dtypes[name] ?? 'F32']
    return { name, dtype, shape, data: dtype === 'F32' ? new Float32Array(size).fill(value) : new Uint8Array(size * (/64/.test(dtype) ? 8 : dtype.startsWith('F8') ? 1 : 4)) }
  })))

test.each<SafetensorsDType>(['F64', 'I64', 'I32', 'F8_E4M3'])('a file that keeps a parameter in %s is refused by name, and nothing is read', async (dtype) => {
  const own = new FakeHost()
  const [net, file] = [new Net(own), await fileOf({ 'second.bias': dtype })]
  const before = own.memory().tensors
  await expect(net.load(file)).rejects.toThrow(new CheckpointError(`load: the checkpoint does not fit this model; 1 of another dtype: second.bias (expected F32, F16 or BF16, got ${dtype})`))
  expect(own.memory().tensors).toBe(before)
})

test('a number that f16 cannot hold is refused by name instead of becoming infinite', async () => {
  const own = new FakeHost()
  const net = new Net(own, { dtype: 'f16' })
  const before = own.memory().tensors
  await expect(net.load(await fileOf({}, 70_000))).rejects.toThrow('load: expected first.bias within ±65504, the range of f16, got 70000')
  await net.load(await fileOf({}, 65_519))
  expect(own.memory().tensors).toBe(before)
})

test('a load that fails midway leaves the module as it was, and frees what it had read', async () => {
  const own = new FakeHost()
  const net = new Net(own)
  const [weight, before, file] = [net.first.weight, own.memory().tensors, await fileOf()]
  const broken = { ...file, read: (name: string) => (name === 'second.weight' ? Promise.reject(new CheckpointError('cut short')) : file.read(name)) }
  await expect(net.load(broken)).rejects.toThrow('cut short')
  expect(net.first.weight).toBe(weight)
  expect(own.memory().tensors).toBe(before)
  // What a caller gave stays the caller's, and what was made of it in another dtype is freed.
  const given = new Map(Object.entries(shapes).map(([name, shape]): [string, Tensor] => {
    const dtype = name === 'second.bias' ? 'f16' : 'f32'
    return [name, tensor(own, new Float32Array(shape.reduce((a, b) => a * b, 1)), shape, { dtype })]
  }))
  own.evaluate = () => Promise.reject(new CheckpointError('lost'))
  await expect(net.load(given)).rejects.toThrow('lost')
  expect(own.memory().tensors).toBe(before + 4)
})

test('a checkpoint none of whose names is the model\'s is refused, also where some may be missing', async () => {
  const [net, file] = [new Net(), await fileOf()]
  const other = { ...file, tensors: new Map([...file.tensors].map(([name, info]) => [`model.${name}`, info])) }
  await expect(net.load(other, { strict: false })).rejects.toThrow('4 missing: first.weight')
  await expect(net.load(file, { stric: false } as never)).rejects.toThrow('load: expected options among strict, got stric')
})
