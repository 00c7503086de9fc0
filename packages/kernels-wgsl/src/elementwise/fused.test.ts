import { expect, test } from 'vitest'
import { type ApplyOp, f32Bits, type Op, type RefTensor } from '../op.ts'
import { refCall, runKernels, specialValues } from '../testing.ts'
import { type Arg, fusedKernel, type Step } from './fused.ts'
import { makeApplyOp } from './maths.ts'
import { elementwise } from './table.ts'

/*
 * Every op inside one expression, its gradient by its own rule beside it: what core makes of forward and backward passes. One kernel holds
 * them all and an input says which of them an element is for, as a kernel an op would take seconds to compile.
 */
const shape = [1]
const flat = { strides: [1], offset: 0 }
const cotangent = 2

type Recorded = { readonly arg: Arg }

/** Records calls as steps of an expression. */
class Recorder {
  readonly steps: Step[] = []
  readonly scalars: number[] = []
  readonly call = makeApplyOp<Recorded>({
    apply: (op, inputs) => [this.#step(op, ...inputs)],
    spec: () => ({ shape, dtype: 'f32' }),
    scalar: (value) => ({ arg: { kind: 'scalar', index: this.scalars.push(value) - 1 } }),
  })

  #step(op: Op, ...inputs: Recorded[]): Recorded {
    return { arg: { kind: 'step', index: this.steps.push({ op, args: inputs.map((x) => x.arg), dtype: 'f32' }) - 1 } }
  }
}

/** The value of an op and the cotangents of its operands, on whatever carries them. */
function traced<T>(call: ApplyOp<T>, op: Op, operands: readonly T[]): readonly (T | undefined)[] {
  const y = call(op, operands)
  const [g] = y.map((t) => call.m.add(call.m.mul(call.m.eq(t, t), 0), cotangent))
  const needs = operands.map(() => true)
  return [y[0], ...op.vjp?.(call, { inputs: operands, outputs: y, grads: [g], attrs: {}, needs }) ?? []]
}

test.skipIf(!globalThis.kernelTestHost).for([1, 2, 3] as const)('ops of %d operands and their gradients inside a fused expression are as apart, on special values', async (arity) => {
  const host = globalThis.kernelTestHost
  if (!host) return
  const record = new Recorder()
  const { call } = record
  const given = Array.from({ length: arity + 1 }, (_, index): Recorded => ({ arg: { kind: 'input', index } }))
  const [which, ...operands] = given as [Recorded, ...Recorded[]]
  // A number times 1, so that no operand comes straight from memory.
  const inside = operands.map((x) => call.m.mul(x, 1))
  const parts: { op: Op; output: number; exact: Float64Array }[] = []
  const specials = specialValues('f32').slice(1)
  const pairs = specials.flatMap((a) => specials.map((b) => [a, b]))
  // What is chosen passes through: of the third operand a few values do.
  const rows = [specials.map((x) => [x]), pairs, pairs.flatMap((pair) => specials.slice(-4).map((c) => [...pair, c]))][arity - 1] ?? []
  const refs = Array.from({ length: arity }, (_, k): RefTensor => ({ shape: [rows.length], dtype: 'f32', data: Float64Array.from(rows, (r) => r[k] ?? 0) }))
  let result: Recorded = call.m.mul(which, 0)
  for (const op of Object.values(elementwise).filter((o) => o.pointwise?.arity === arity)) {
    const expected = traced(refCall, op, refs)
    traced(call, op, inside).forEach((value, output) => {
      const exact = expected[output]
      if (!value || !exact) return
      result = call.m.where(call.m.eq(which, parts.length), value, result)
      parts.push({ op, output, exact: exact.data })
    })
  }
  const n = parts.length * rows.length
  const kernel = fusedKernel({
    inputs: given.map(() => ({ dtype: 'f32', view: flat })), scalars: record.scalars.map(() => 'f32'), steps: record.steps, output: { shape: [n], dtype: 'f32' },
  }, host.target)
  const params = kernel.params.slice()
  record.scalars.forEach((x, i) => { params[(kernel.scalarWord ?? 0) + i] = f32Bits(x) })
  const spec = { shape: [n], dtype: 'f32' } as const
  const column = (f: (part: number, row: number) => number): Float64Array => Float64Array.from({ length: n }, (_, i) => f(Math.floor(i / rows.length), i % rows.length))
  const [got = []] = await runKernels(host, [{ ...kernel, params }], [
    { spec, data: column((part) => part) }, ...refs.map((x) => ({ spec, data: column((_, row) => x.data[row] ?? 0) })),
  ], [spec])
  const wrong = parts.flatMap(({ op, output, exact }, part) => rows.flatMap((row, i) => {
    const [g, want] = [got[part * rows.length + i] ?? 0, Math.fround(exact[i] ?? 0)]
    const right = Object.is(g, want) || Math.abs(g - want) <= 1e-5 * Math.abs(want) + 2 ** -120
    // 2^128, by rounded logarithms, is beyond f32.
    const beyond = op.name === 'pow' && (row[1] ?? 0) * Math.log2(Math.abs(row[0] ?? 0)) > 127.99
    return right || beyond || !Number.isFinite(exact[i]) && Number.isNaN(g) && Number.isNaN(want) ? [] : [`${op.name}(${row.join(', ')})${output ? `, gradient ${output - 1}` : ''} = ${g}, expected ${want}`]
  }))
  expect(wrong).toEqual([])
})
