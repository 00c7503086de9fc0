import { expect, test } from 'vitest'
import { compile, gradients, type Tensor, tensor } from '../index.ts'
import { FakeHost, interpret, noise } from '../testing/index.ts'
import { adapterParameters, addAdapter, Linear, linears, lora, Module, randomParameters } from './index.ts'

const host = new FakeHost()
const x = tensor(host, noise(3 * 64, 9), [3, 64])

/** Layers on the same input, and their terms added up. */
class Several extends Module {
  readonly layers: readonly Linear[]

  constructor(inputs: number, outputs: readonly number[], bias = true) {
    super()
    const init = randomParameters(host, { seed: 1 })
    this.layers = outputs.map((n) => Linear.of(init, inputs, n, { bias }))
  }

  together(input: Tensor): Tensor[] {
    return linears(this.layers, input).map((terms) => terms.reduce((a, b) => b.add(a)))
  }

  apart(input: Tensor): Tensor[] {
    return this.layers.map((l) => l.forward(input))
  }
}

const numbers = (...tensors: Tensor[]): number[][] => interpret(tensors).map((d) => [...d])
const close = (rows: number[][]): unknown[][] => rows.map((row) => row.map((v) => expect.closeTo(v, 12) as unknown))
const productsOf = (...tensors: Tensor[]): string[] => host.plan(...tensors).dispatches.map((d) => d.kernel.label).filter((l) => /matmul|flatConcat/.test(l))

test.each([true, false])('layers on one input give in one product what each gives, and its gradients (bias %s)', (bias) => {
  const several = new Several(64, [6, 4, 10], bias)
  const parameters = [...several.parameters()]
  const both = [several.together(x), several.apart(x)].map((ys) => [...ys, ...gradients(ys.map((y) => y.square().sum()).reduce((a, b) => a.add(b)), [x, ...parameters])])
  const [got = [], wanted = []] = both
  expect(numbers(...got)).toEqual(close(numbers(...wanted)))
})

test('their weights lie together, so that nothing is copied, in a compiled function too', () => {
  const several = new Several(64, [6, 4, 10])
  expect(productsOf(...several.together(x)).length).toBe(1)
  expect(productsOf(...compile((input: Tensor) => several.together(input))(x)).length).toBe(1)
  expect(productsOf(...several.apart(x)).length).toBe(3)
})

test('weights that cannot lie end to end, and layers with an adapter that is on, run one by one', () => {
  const odd = new Several(5, [6, 4])
  expect(productsOf(...odd.together(tensor(host, noise(10, 3), [2, 5]))).length).toBe(2)
  const several = new Several(64, [6, 4])
  addAdapter(several, 'a', lora({ rank: 2, targets: /layers.1/ }))
  adapterParameters(several, 'a').get('layers.1.lora_B.weight')?.write(noise(8, 5))
  const on = several.with({ a: 1 })
  expect(numbers(...on.together(x))).toEqual(numbers(...on.apart(x)))
  expect(numbers(...on.together(x))).not.toEqual(numbers(...several.together(x)))
  expect(productsOf(...several.with({}).together(x)).length).toBe(1)
})
