import { sgd as sgdOp } from '@antipode/kernels-wgsl'
import { expect, test } from 'vitest'
import { gradients, vjp } from '../autograd/index.ts'
import { ConfigError, DisposedError, UnsupportedError } from '../errors.ts'
import { apply1, constant, scalar, type Tensor, tensor, zeros } from '../graph/index.ts'
import { FakeHost, graphCases, interpret, leavesOf, noise } from '../testing/index.ts'
import { compile } from './index.ts'

const host = new FakeHost()
const leaf = (seed: number, ...shape: number[]): Tensor => tensor(host, noise(shape.reduce((a, b) => a * b, 1), seed), shape)
const numbers = (...tensors: Tensor[]): number[][] => interpret(tensors).map((d) => [...d])

/** A function that counts how often it runs. */
function counted<A extends readonly unknown[], R>(fn: (...args: A) => R): { readonly fn: (...args: A) => R; readonly runs: () => number } {
  let runs = 0
  return {
    runs: () => runs,
    fn: (...args) => {
      runs++
      return fn(...args)
    },
  }
}

test('a compiled loss and its gradients are the plan and the numbers of the plain ones', () => {
  for (const c of graphCases) {
    const leaves = leavesOf(host, c)
    const outputsOf = (t: Readonly<Record<string, Tensor>>): Tensor[] => {
      const loss = c.loss(t)
      return [loss, ...gradients(loss, Object.values(t).filter((x) => x.dtype === 'f32'))]
    }
    const plain = outputsOf(leaves)
    const step = compile(outputsOf)
    for (const outputs of [step(leaves), step(leaves)]) {
      expect(numbers(...outputs), c.name).toEqual(numbers(...plain))
      const [got, wanted] = [host.plan(...outputs), host.plan(...plain)]
      expect(got.dispatches.map((d) => d.kernel.label), c.name).toEqual(wanted.dispatches.map((d) => d.kernel.label))
      expect(got.peakBytes, c.name).toBe(wanted.peakBytes)
    }
  }
})

test('the function runs once for tensors of the same shapes, be they stored, computed or constants', () => {
  const { fn, runs } = counted((x: Tensor, factor: Tensor) => x.mul(factor).tanh())
  const step = compile(fn)
  const [x, y] = [leaf(1, 2, 3), leaf(2, 2, 3)]
  const plain = (a: Tensor, b: Tensor): Tensor => a.mul(b).tanh()
  const calls: [Tensor, Tensor][] = [
    [x, scalar(host, 2)], [y, scalar(host, -3)], [x.add(y), scalar(host, 4)], [constant(host, [1, 2, 3, 4, 5, 6], [2, 3]), x.sum()], [x, y.mean()],
  ]
  for (const [a, b] of calls) expect(numbers(step(a, b))).toEqual(numbers(plain(a, b)))
  expect(runs()).toBe(1)
})

test('another shape, element type, structure, number or object runs it anew, and an earlier one is remembered', () => {
  const { fn, runs } = counted((x: Tensor, options: { readonly by?: number; readonly name?: string; readonly extra?: object }) => x.mul(options.by ?? 1))
  const step = compile(fn)
  const [x, model] = [leaf(1, 2, 3), new Map<string, string>()]
  const [one, two] = [new FakeHost(), new FakeHost()]
  const calls: Parameters<typeof fn>[] = [
    [x, {}], [x, { by: 2 }], [x, { by: 3 }], [x, { by: 2, name: 'a' }], [leaf(1, 3, 2), {}], [x.to('f16'), {}], [x, { extra: one }],
    [x, { extra: two }], [x, { extra: model }], [x, { by: -0 }], [x, { by: 0 }],
  ]
  for (const [k, args] of calls.entries()) {
    step(...args)
    expect(runs()).toBe(k + 1)
  }
  for (const args of calls) expect(numbers(step(...args))).toEqual(numbers(args[0].mul(args[1].by ?? 1)))
  expect(runs()).toBe(calls.length)
})

test('tensors are found in arrays, maps and plain objects, and come back in them', () => {
  const step = compile((batch: { readonly pair: readonly [Tensor, Tensor]; readonly more: ReadonlyMap<string, Tensor> }) => ({
    sums: batch.pair.map((t) => t.sum()), by: new Map([['twice', batch.more.get('z')?.mul(2)]]), count: batch.pair.length, same: batch.pair[0],
  }))
  const [x, y, z] = [leaf(1, 3), leaf(2, 3), leaf(3, 2)]
  for (const pair of [[x, y], [y, x]] as const) {
    const got = step({ pair, more: new Map([['z', z]]) })
    expect(numbers(...got.sums)).toEqual(numbers(...pair.map((t) => t.sum())))
    expect(numbers(got.by.get('twice') as Tensor)).toEqual(numbers(z.mul(2)))
    expect([got.count, got.same]).toEqual([2, pair[0]])
  }
})

test('captured tensors are read as they are when the result is evaluated, captured numbers as they were', () => {
  const weight = leaf(1, 3)
  let factor = 2
  const step = compile((x: Tensor) => x.mul(weight).mul(factor))
  const x = leaf(2, 3)
  step(x)
  factor = 100
  weight.write([5, 6, 7])
  expect(numbers(step(x))).toEqual(numbers(x.mul(tensor(host, [5, 6, 7])).mul(2)))
})

test('calls meet in one graph, nest, and go on into others', () => {
  const layer = compile((x: Tensor, w: Tensor) => x.matmul(w).tanh())
  const twice = compile((x: Tensor, w: Tensor) => layer(layer(x, w), w))
  const [x, w, v] = [leaf(1, 2, 4), leaf(2, 4, 4), leaf(3, 4, 4)]
  const plain = (h: Tensor, m: Tensor): Tensor => h.matmul(m).tanh()
  const wanted = plain(plain(plain(plain(x, w), w).mul(3), v), v).add(plain(x, v))
  const got = twice(twice(x, w).mul(3), v).add(layer(x, v))
  expect(numbers(got)).toEqual(numbers(wanted))
  expect(host.plan(got).dispatches.map((d) => d.kernel.label)).toEqual(host.plan(wanted).dispatches.map((d) => d.kernel.label))
})

test('results that nobody wants are not computed', () => {
  const step = compile((x: Tensor) => ({ sum: x.sum(), product: x.matmul(x) }))
  const x = leaf(1, 4, 4)
  expect(host.plan(step(x).sum).dispatches.length).toBe(host.plan(x.sum()).dispatches.length)
  expect(host.plan(step(x).product).dispatches.length).toBe(host.plan(x.matmul(x)).dispatches.length)
})

test('gradients inside go through captured parameters and arguments; those through a call are refused', () => {
  const w = leaf(1, 4, 4)
  const loss = (x: Tensor): Tensor => x.matmul(w).square().mean()
  const step = compile((x: Tensor) => vjp([loss(x)], [x, w], [scalar(host, 1)]))
  const x = leaf(2, 3, 4)
  expect(numbers(...step(x))).toEqual(numbers(...gradients(loss(x), [x, w])))
  expect(() => gradients(compile(loss)(x), [w])).toThrow(UnsupportedError)
  expect(() => gradients(compile(loss)(x), [w])).toThrow(/take them in the function that is compiled/)
})

test('what cannot be compiled is refused when it is first called', () => {
  const x = leaf(1, 3)
  expect(() => compile((t: Tensor) => Promise.resolve(t))(x)).toThrow(ConfigError)
  expect(() => compile((t: Tensor, by: readonly Float32Array[]) => t.mul(by.length))(x, [Float32Array.of(1)])).toThrow(/got Float32Array; pass tensor/)
  expect(() => compile((t: Tensor) => apply1(sgdOp, [x, t, zeros(host, [3]), constant(host, [1, 0, 0, 0])], {}))(x)).toThrow(UnsupportedError)
  const seen: Tensor[] = []
  const keeps = compile((t: Tensor) => {
    seen.push(t)
    return t.add(1)
  })
  keeps(x)
  expect(() => compile((t: Tensor) => t.add(seen[0] ?? 0))(x)).toThrow(/pass it as an argument/)
  expect(() => host.plan(seen[0]?.add(1) ?? x)).toThrow(/argument of a function that is being compiled/)
})

test('a tensor that was captured and then disposed is named', () => {
  const w = leaf(1, 3)
  const step = compile(function scaled(x: Tensor) { return x.mul(w) })
  const x = leaf(2, 3)
  step(x)
  w.dispose()
  expect(() => step(x)).toThrow(DisposedError)
  expect(() => step(x)).toThrow(/compile\(scaled\)/)
})
