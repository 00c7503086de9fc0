import { expect, test } from 'vitest'
import { ConfigError, gradients, type Tensor, tensor } from '../../index.ts'
import { FakeHost, interpret, noise } from '../../testing/index.ts'
import { Conv2d } from '../conv2d.ts'
import { Linear } from '../linear.ts'
import { adapterNames, type AdapterWeights, Module } from '../module.ts'
import { randomParameters } from '../initialiser.ts'
import { foldedWeight } from './adaptable-layer.ts'
import { adapterAlphas, adapterDeltas, adapterParameters, addAdapter, fullDelta, lora, mergedState, removeAdapter, setAdapter } from './index.ts'

/** A convolution of two groups, and a linear layer over its channels. */
class Net extends Module {
  readonly conv: Conv2d
  readonly head: Linear
  constructor(host: FakeHost, dtype: 'f32' | 'f16' = 'f32') {
    super()
    const init = randomParameters(host, { seed: 1, dtype })
    this.conv = Conv2d.of(init, 4, 4, 3, { groups: 2, padding: 1 })
    this.head = Linear.of(init, 4, 3)
  }
  forward(x: Tensor): Tensor {
    return this.head.forward(this.conv.forward(x).permute([0, 2, 3, 1]))
  }
}

const numbers = (t: Tensor): number[] => [...interpret([t])[0] ?? []]
const input = (host: FakeHost, dtype: 'f32' | 'f16'): Tensor => tensor(host, noise(64, 3), [1, 4, 4, 4], { dtype })

/** Gives the tensors of an adapter values, as training would. */
function perturb(model: Module, name: string): void {
  let seed = 10
  for (const t of adapterParameters(model, name).values()) t.write(noise(t.size, seed++))
}

test.each(['f32', 'f16'] as const)('a change in full starts as nothing, and adds what its merged weight has more, in %s', (dtype) => {
  const host = new FakeHost()
  const [net, x] = [new Net(host, dtype), input(host, dtype)]
  const before = numbers(net.forward(x))
  addAdapter(net, 'full', fullDelta({ targets: /./ }))
  expect([...adapterParameters(net, 'full')].map(([name, t]) => [name, t.dtype, t.shape])).toEqual([['conv.diff', 'f32', [4, 2, 3, 3]], ['head.diff', 'f32', [3, 4]]])
  const run = (weights: AdapterWeights): number[] => numbers(net.with(weights).forward(x))
  expect(run({ full: 1 })).toEqual(before)
  perturb(net, 'full')
  expect(run({})).toEqual(before)
  const merged = numbers(net.withParameters(mergedState(net, { full: 0.5 })).forward(x))
  // Exact in f32; in f16 the merged weight is rounded to it, where sums of some twenty terms of about 1 keep three digits.
  expect(run({ full: 0.5 })).toEqual(merged.map((v) => expect.closeTo(v, dtype === 'f32' ? 12 : 1) as unknown))
  expect(Math.max(...run({ full: 0.5 }).map((v, i) => Math.abs(v - (before[i] ?? 0))))).toBeGreaterThan(0.1)
})

test('a change in full is trained: its gradient is that of the weight', () => {
  const host = new FakeHost()
  const [net, x] = [new Net(host), input(host, 'f32')]
  addAdapter(net, 'full', fullDelta({ targets: /head/ }))
  const [diff] = [...adapterParameters(net, 'full').values()] as [Tensor]
  const loss = net.with({ full: 1 }).forward(x).square().sum()
  expect(numbers(gradients(loss, [diff])[0] as Tensor)).toEqual(numbers(gradients(net.forward(x).square().sum(), [net.head.weight])[0] as Tensor))
  // It costs less in the weight than beside it, whatever the sizes.
  expect(foldedWeight(net.head, [[adapterDeltas(net, 'full').get('head')!, 1]])).toBeDefined()
})

test('an adapter may be of one kind on one layer and of another on the next, with an alpha of their own', () => {
  const host = new FakeHost()
  const [net, x] = [new Net(host), input(host, 'f32')]
  const given = new Map<string, Tensor>([
    ['conv.diff', tensor(host, noise(72, 1), [4, 2, 3, 3])],
    ['head.lora_A.weight', tensor(host, noise(8, 2), [2, 4])], ['head.lora_B.weight', tensor(host, noise(6, 4), [3, 2])],
  ])
  setAdapter(net, 'both', given, { alpha: new Map([['head', 5]]) })
  expect(adapterAlphas(net, 'both')).toEqual(new Map([['head', 5]]))
  const merged = mergedState(net, { both: 0.25 })
  const [a, b] = [given.get('head.lora_A.weight'), given.get('head.lora_B.weight')] as [Tensor, Tensor]
  const want = numbers(net.head.weight.add(b.matmul(a).mul(0.25 * (5 / 2))))
  expect(numbers(merged.get('head.weight') as Tensor)).toEqual(want)
  expect(numbers(net.with({ both: 0.25 }).forward(x))).toEqual(numbers(net.withParameters(merged).forward(x)).map((v) => expect.closeTo(v, 12) as unknown))
  const before = host.memory().tensors
  removeAdapter(net, 'both')
  expect([adapterNames(net), host.memory().tensors]).toEqual([[], before - 3])
})

test('two changes of one layer, and a low-rank one of a layer with groups, are refused', () => {
  const host = new FakeHost()
  const net = new Net(host)
  const pair = [['head.lora_A.weight', tensor(host, [1, 2, 3, 4], [1, 4])], ['head.lora_B.weight', tensor(host, [1, 2, 3], [3, 1])]] as const
  const full = ['head.diff', tensor(host, noise(12, 1), [3, 4])] as const
  expect(() => { setAdapter(net, 'a', new Map<string, Tensor>([...pair, full])) }).toThrow('misfits: head')
  expect(() => { addAdapter(net, 'a', lora({ rank: 2, targets: /conv/ })) }).toThrow(ConfigError)
  expect(() => fullDelta({ targets: 'head' as never })).toThrow('fullDelta: expected targets to be a RegExp')
  expect(adapterNames(net)).toEqual([])
})

test('how thin products run is a number of the adapter, and decides where a change is added', () => {
  const fold = (thinProducts: number): boolean => {
    const host = new FakeHost({ ...new FakeHost().target, tuning: { ...new FakeHost().target.tuning, thinProducts } })
    const layer = Linear.of(randomParameters(host, { seed: 1 }), 96, 80)
    return foldedWeight(layer, [[lora({ rank: 8, targets: /./ }).begin(host)(layer), 1]]) !== undefined
  }
  // 7,680 multiply-adds of the whole weight, against 4,224 of the pair times that number.
  expect([1, 2].map(fold)).toEqual([false, true])
})

test('disposing a model frees its adapters', () => {
  const host = new FakeHost()
  const net = new Net(host)
  addAdapter(net, 'a', lora({ rank: 2, targets: /head/ }))
  addAdapter(net, 'b', fullDelta({ targets: /./ }))
  net.dispose()
  expect(host.memory().tensors).toBe(0)
})
