import { expect, test } from 'vitest'
import { ConfigError, type Tensor, tensor } from '../index.ts'
import { FakeHost, interpret } from '../testing/index.ts'
import { GroupNorm, Linear, mapModules, Module, placeholders, randomParameters } from './index.ts'

const host = new FakeHost()

class Pair extends Module {
  readonly layers: readonly [Linear, undefined, Linear]
  constructor(seed: number) {
    super()
    const init = randomParameters(host, { seed })
    this.layers = [Linear.of(init, 2, 2), undefined, Linear.of(init, 2, 1)]
  }
}

class Net extends Module {
  readonly pair: Pair = new Pair(1)
  readonly outNorm: GroupNorm = GroupNorm.of(placeholders(host, { dtype: 'f16' }), 1, 1)
  forward(x: Tensor): Tensor {
    return this.pair.layers.reduce((y, layer) => layer?.forward(y) ?? y, x)
  }
}

const numbers = (t: Tensor): number[] => [...interpret([t])[0] ?? []]

test('every module below is asked for by name, once, and a copy of the same ones shares all tensors', () => {
  const net = new Net()
  const seen: string[] = []
  const same = mapModules(net, (module, name) => {
    seen.push(name)
    return module
  })
  expect(seen).toEqual(['pair', 'pair.layers.0', 'pair.layers.2', 'out_norm'])
  expect(same).not.toBe(net)
  expect(same.state()).toEqual(net.state())
})

test('another module stands where one was, is not looked into, and leaves the first model as it was', () => {
  const [net, x] = [new Net(), tensor(host, [1, 2], [1, 2])]
  const before = numbers(net.forward(x))
  const other = new Pair(2)
  const seen: string[] = []
  const mapped = mapModules(net, (module, name) => {
    seen.push(name)
    return module instanceof Pair ? other : module
  })
  expect(seen).toEqual(['pair', 'out_norm'])
  expect(mapped.state().get('pair.layers.0.weight')).toBe(other.layers[0].weight)
  expect(numbers(mapped.forward(x))).not.toEqual(before)
  expect(numbers(net.forward(x))).toEqual(before)
  expect(() => mapModules(net, {} as never)).toThrow(ConfigError)
})

test('a model computes in the element type of its first parameter of real numbers', () => {
  const net = new Net()
  expect([net.dtype, net.outNorm.dtype]).toEqual(['f32', 'f16'])
  class Codes extends Module {
    readonly codes: Tensor = tensor(host, [1], [1], { dtype: 'u32' })
  }
  expect(() => new Codes().dtype).toThrow('expected at least one parameter of real numbers')
})

test('placeholders have shapes and element types, and take no memory', () => {
  const own = new FakeHost()
  const layer = Linear.of(placeholders(own, { dtype: 'bf16' }), 3, 2)
  expect([layer.weight.shape, layer.weight.dtype, own.memory().tensors]).toEqual([[2, 3], 'bf16', 0])
  expect(() => placeholders(own, { seed: 1 } as never)).toThrow('placeholders: expected options among dtype, weights, got seed')
})
