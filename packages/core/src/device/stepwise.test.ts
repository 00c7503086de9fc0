import { beforeEach, expect, test } from 'vitest'
import { gradients } from '../autograd/index.ts'
import { compile } from '../compile/index.ts'
import { NumericError } from '../errors.ts'
import { softmax, where } from '../functional/index.ts'
import { constant, full, type Storage, type Tensor, tensor } from '../graph/index.ts'
import { FakeHost, interpret } from '../testing/index.ts'
import { evaluateStepwise } from './stepwise.ts'

/** Computes in float64 what it is asked for, one evaluation at a time. */
class Interpreter extends FakeHost {
  readonly checkFinite = true
  runs = 0

  override async evaluate(tensors: readonly Tensor[]): Promise<void> {
    const lazy = [...new Set(tensors)].filter((t) => t.source.kind !== 'storage')
    if (lazy.length > 0) this.runs++
    interpret(lazy).forEach((data, k) => {
      const t = lazy[k] as Tensor
      t.realise(this.upload(data, t.shape, t.dtype))
    })
  }
}

let host: Interpreter
beforeEach(() => { host = new Interpreter() })

const storageOf = (t: Tensor): Storage => {
  if (t.source.kind !== 'storage') throw new TypeError('expected a tensor that owns its value')
  return t.source.storage
}
const run = (...wanted: Tensor[]): Promise<void> => evaluateStepwise(wanted, {
  evaluate: (some) => host.evaluate(some),
  read: async (t) => host.valuesOf(storageOf(t)),
})
async function blamed(...wanted: Tensor[]): Promise<NumericError> {
  const error: unknown = await run(...wanted).then(() => undefined, (e: unknown) => e)
  expect(error).toBeInstanceOf(NumericError)
  return error as NumericError
}

test('the first operation that makes a NaN is named with its place, and not those that pass it on', async () => {
  const x = tensor(host, [4, 1, -1])
  const root = x.sqrt()
  const error = await blamed(root.mul(2).add(x).sum())
  expect(error.where).toBe('sqrt f32[3], element 2')
  expect(error.message).toMatch(/^sqrt: expected a finite result, got NaN in f32\[3\], element 2/)
  expect(error.message).toMatch(/made here:\n(.*\n)+.*stepwise\.test\.ts:\d+/)
  expect(root.source.kind).toBe('node')
  expect(host.memory().tensors).toBe(1)
})

test('an infinity is blamed on the operation whose operands have none', async () => {
  const x = tensor(host, [0, 1])
  expect((await blamed(constant(host, [1, 1]).div(x).neg().exp())).where).toBe('div f32[2], element 0')
  expect((await blamed(x.log().abs())).message).toContain('log: expected a finite result, got an infinity')
})

test('masks of infinities pass, but what makes a NaN of them does not', async () => {
  const x = tensor(host, [1, 2])
  const masked = softmax(where(x.gt(1), x, -Infinity))
  await run(masked)
  expect([...host.valuesOf(storageOf(masked))]).toEqual([0, 1])
  await run(x.add(tensor(host, [-Infinity, 0], [2], { allowNonFinite: true })).maximum(full(host, [2], -Infinity)))
  expect((await blamed(x.sub(Infinity).add(Infinity))).where).toBe('add f32[2], element 0')
})

test('a NaN that was given is named where it is first read, and what does not read it passes', async () => {
  const x = tensor(host, [1, Number.NaN, 3], [3], { allowNonFinite: true })
  const error = await blamed(x.mul(2).exp())
  expect([error.where, error.message.slice(0, 40)]).toEqual(['f32[3], element 1', 'mul: expected finite operands, got NaN i'])
  expect((await blamed(tensor(host, [1]).mul(Number.NaN))).where).toBe('f32[], element 0')
  await run(x.slice(0, 2).mul(2))
  expect((await blamed(x.slice(0, 1).mul(2))).where).toBe('f32[2], element 0')
})

test('backward passes and compiled functions are looked into', async () => {
  const x = tensor(host, [0, 4])
  expect((await blamed(...gradients(x.sqrt().sum(), [x]))).where).toMatch(/^div /)
  const step = compile((t: Tensor) => t.mul(-1).log().mul(3))
  const error = await blamed(step(x.add(1)))
  expect(error.where).toBe('log f32[2], element 0')
  expect(error.message).toMatch(/stepwise\.test\.ts:\d+:\d+\)?\n.*at traced/)
})

test('finite graphs give what they give otherwise, and nothing is left of what was in between', async () => {
  const x = tensor(host, [1, 2, 3, 4], [2, 2])
  const y = x.matmul(x).add(1).transpose()
  const step = compile((a: Tensor, b: Tensor) => ({ sum: a.add(b).mul(2), a, twice: [a.exp(), a.exp()] }))
  const { sum, twice } = step(y, x.mul(3))
  const outputs = [y, y, sum, ...twice, x.sum().expand([3]), full(host, [2], 7), constant(host, [1])]
  const expected = interpret(outputs).map((d) => [...d].map(Math.fround))
  await run(...outputs)
  expect(outputs.map((t) => [...host.valuesOf(storageOf(t))])).toEqual(expected)
  for (const t of [x, ...outputs]) t.dispose()
  expect(host.memory().tensors).toBe(0)
})

test('where an operation was made is kept in this mode only', () => {
  const stack = (h: FakeHost): string | undefined => {
    const { source } = tensor(h, [1]).exp()
    return source.kind === 'node' ? source.node.stack : 'none'
  }
  expect(stack(host)).toContain('stepwise.test.ts')
  expect(stack(new FakeHost())).toBeUndefined()
})
