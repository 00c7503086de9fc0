import { expect, test } from 'vitest'
import { CheckpointError, type Tensor, tensor } from '../../index.ts'
import { FakeHost, interpret, noise } from '../../testing/index.ts'
import { Embedding } from '../embedding.ts'
import { randomParameters } from '../initialiser.ts'
import { Linear } from '../linear.ts'
import { type AdapterWeights, Module } from '../module.ts'
import { GroupNorm, LayerNorm, RMSNorm } from '../norms.ts'
import { adapterParameters, mergedState, setAdapter } from './index.ts'

/** Every layer that carries differences. */
class Net extends Module {
  readonly table: Embedding
  readonly linear: Linear
  readonly plain: Linear
  readonly group: GroupNorm
  readonly layer: LayerNorm
  readonly rms: RMSNorm
  constructor(host: FakeHost, dtype: 'f32' | 'f16' = 'f32') {
    super()
    const init = randomParameters(host, { seed: 1, dtype })
    this.table = Embedding.of(init, 5, 4)
    this.linear = Linear.of(init, 4, 4)
    this.plain = Linear.of(init, 4, 4, { bias: false })
    this.group = GroupNorm.of(init, 2, 4)
    this.layer = LayerNorm.of(init, 4)
    this.rms = new RMSNorm(init.filled([4], 1))
  }
  forward(ids: Tensor): Tensor {
    const h = this.layer.forward(this.plain.forward(this.linear.forward(this.table.forward(ids))))
    return this.rms.forward(this.group.forward(h.transpose()).transpose())
  }
}

const ids = (host: FakeHost): Tensor => tensor(host, [0, 3, 3, 1], [1, 4], { dtype: 'i32' })
const numbers = (t: Tensor): number[] => [...interpret([t])[0] ?? []]

/** A difference of every parameter, by the names that adapters have. */
function differences(host: FakeHost, net: Net): Map<string, Tensor> {
  let seed = 1
  return new Map([...net.namedParameters()].map(([name, t]) => (
    [name.replace(/weight$/, 'diff').replace(/bias$/, 'diff_b'), tensor(host, noise(t.size, seed++).map((v) => v / 4), t.shape)]
  )))
}

test.each(['f32', 'f16'] as const)('differences of weights, biases, norms and tables add what their merged weights have more, in %s', (dtype) => {
  const host = new FakeHost()
  const net = new Net(host, dtype)
  const before = numbers(net.forward(ids(host)))
  setAdapter(net, 'full', differences(host, net))
  expect([...adapterParameters(net, 'full')]).toHaveLength(net.parameters().length)
  const run = (weights: AdapterWeights): number[] => numbers(net.with(weights).forward(ids(host)))
  expect(run({})).toEqual(before)
  expect(run({ full: 0 })).toEqual(before)
  const merged = mergedState(net, { full: 0.5 })
  expect([...merged.keys()]).toEqual([...net.state().keys()])
  const want = numbers(net.withParameters(merged).forward(ids(host)))
  expect(run({ full: 0.5 })).toEqual(want.map((v) => expect.closeTo(v, dtype === 'f32' ? 12 : 2) as unknown))
  expect(Math.max(...want.map((v, i) => Math.abs(v - (before[i] ?? 0))))).toBeGreaterThan(0.1)
})

test('a layer with its weight in blocks carries the difference of its bias too', () => {
  const host = new FakeHost()
  const layer = Linear.of(randomParameters(host, { seed: 1, weights: 'q8_0' }), 32, 4)
  class Small extends Module {
    readonly linear = layer
  }
  const net = new Small()
  setAdapter(net, 'full', new Map([['linear.diff', tensor(host, new Float32Array(128), [4, 32])], ['linear.diff_b', tensor(host, [1, 2, 3, 4])]]))
  const x = tensor(host, noise(32, 2), [1, 32])
  const [plain, changed] = [net.linear.forward(x), net.with({ full: 2 }).linear.forward(x)]
  expect(layer.weight.dtype).toBe('q8_0')
  expect(numbers(changed.sub(plain))).toEqual([2, 4, 6, 8].map((v) => expect.closeTo(v, 6) as unknown))
})

test('a difference of a bias that is not there, or without the weight\'s, and a pair on a norm or table are refused', () => {
  const host = new FakeHost()
  const net = new Net(host)
  const given = (shapes: Readonly<Record<string, readonly number[]>>): Map<string, Tensor> => (
    new Map(Object.entries(shapes).map(([name, shape]) => [name, tensor(host, new Float32Array(shape.reduce((a, b) => a * b)), shape)]))
  )
  const set = (shapes: Readonly<Record<string, readonly number[]>>) => () => { setAdapter(net, 'a', given(shapes)) }
  expect(set({ 'plain.diff': [4, 4], 'plain.diff_b': [4] })).toThrow('misfits: plain (expected diff [4,4] and no diff_b, got [4,4] and [4])')
  expect(set({ 'linear.diff_b': [4] })).toThrow('misfits: linear (expected diff [4,4] and diff_b [4], got none and [4])')
  expect(set({ 'layer.diff': [3] })).toThrow('misfits: layer (expected diff [4], got [3])')
  expect(set({ 'table.lora_A.weight': [2, 4], 'table.lora_B.weight': [5, 2] })).toThrow('no layer for table.lora_A.weight, table.lora_B.weight')
  expect(set({ 'layer.lora_A.weight': [2], 'layer.lora_B.weight': [4, 2] })).toThrow(CheckpointError)
})

test('an adapter may have another weight on each layer, by its name', () => {
  const host = new FakeHost()
  const net = new Net(host)
  setAdapter(net, 'full', differences(host, net))
  const onNorms = (layer: string): number => (/group|layer|rms/.test(layer) ? 0.5 : 0)
  const got = numbers(net.with({ full: onNorms }).forward(ids(host)))
  const merged = mergedState(net, { full: onNorms })
  expect(merged.get('linear.weight')).toBe(net.linear.weight)
  expect(got).toEqual(numbers(net.withParameters(merged).forward(ids(host))).map((v) => expect.closeTo(v, 12) as unknown))
  expect(() => net.with({ full: () => Number.NaN })).toThrow('with: expected the weight of "full" on table to be a finite number, got NaN')
})
