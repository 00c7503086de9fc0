import { expect, test } from 'vitest'
import { gradients } from '../autograd/index.ts'
import { ConfigError } from '../errors.ts'
import { tensor } from '../graph/index.ts'
import { FakeHost, gradientGap, interpret } from '../testing/index.ts'
import { assemble, bindInput, bindOutput, customOp, inputSpec, type Op, refZeros, ShapeError, sizeOf, stridedGroups } from './index.ts'

/** `x · factor`, with kernels of its own. */
const scale: Op<{ factor: number }> = {
  name: 'acme/scale',
  infer(inputs, { factor }) {
    const { shape, dtype } = inputSpec('acme/scale', inputs, 0)
    if (factor === 0) throw new ShapeError('acme/scale: expected a factor other than 0, got 0')
    return [{ shape, dtype }]
  },
  kernels: ({ inputs: [x] }, target) => [assemble({
    label: 'scale', dtype: x!.dtype, params: { n: sizeOf(x!.shape) }, storage: [bindInput(0, 'x'), bindOutput(0, 'out')], body: '',
    workgroups: [stridedGroups(1, target), 1, 1], epilogue: null,
  })],
  vjp: (call, { grads, attrs }) => [call.m.mul(grads[0]!, attrs.factor)],
  reference([x], { factor }) {
    const y = refZeros(x!.shape, x!.dtype)
    x!.data.forEach((v, i) => { y.data[i] = factor * v })
    return [y]
  },
}

test('an op from outside is inferred, interpreted, differentiated and planned', () => {
  const host = new FakeHost()
  const x = tensor(host, [1, 2, 3])
  const by = customOp(scale)
  const [y] = by([x], { factor: 3 })
  expect(interpret([y!, ...gradients(y!.square().sum(), [x])])).toEqual([Float64Array.of(3, 6, 9), Float64Array.of(18, 36, 54)])
  expect(gradientGap(y!.square().sum(), { x }).relative).toBeLessThan(1e-6)
  expect(host.plan(y!).dispatches.map(({ kernel }) => kernel.label)).toEqual(['scale'])
  expect(() => by([x], { factor: 0 })).toThrow('acme/scale: expected a factor other than 0')
})

test('attributes of two ops of one name do not meet', () => {
  const other: Op<{ factor: number }> = { ...scale, reference: ([x], { factor }) => [{ ...x!, data: x!.data.map((v) => v + factor) }] }
  const x = tensor(new FakeHost(), [1, 2])
  expect(interpret([scale, other].map((op) => customOp(op)([x], { factor: 2 })[0]!))).toEqual([Float64Array.of(2, 4), Float64Array.of(3, 4)])
})

test.each<[Partial<Op>, string]>([
  [{ name: '' }, 'expected an op with a name'],
  [{ kernels: undefined as never }, 'expected an op that has kernels, a view or a pointwise expression, got none of them'],
  [{ view: (v) => v }, 'got kernels and view'],
  [{ reference: undefined as never }, 'expected a function reference, got undefined'],
])('an op that lacks %o is refused', (change, text) => {
  const make = (): unknown => customOp({ ...(scale as unknown as Op), ...change })
  expect(make).toThrow(ConfigError)
  expect(make).toThrow(text)
})
