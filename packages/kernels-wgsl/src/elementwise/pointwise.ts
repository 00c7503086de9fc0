import { at } from '../at.ts'
import { type DType, isFloat, type Maths, type Op, type Pointwise, type RefTensor, type Spec } from '../op.ts'
import { DTypeError } from '../errors.ts'
import { broadcastShapes, element, refZeros, sameDType, sizeOf, stridesOf } from '../shape.ts'
import { fusedKernel } from './fused.ts'
import { sumTo } from '../reduce/index.ts'

/** Cotangents of the arguments, before summing over broadcast axes. */
export type Rule = <T>(m: Maths<T>, g: T, inputs: readonly [T, T, T], output: T) => readonly (T | undefined)[]

/** Makes the op of one table line: broadcasting shape rule, float64 reference, kernel, and gradient with broadcast sums. */
export function pointwise(
  name: string,
  arity: number,
  wgsl: (...args: string[]) => string,
  f: (...args: number[]) => number,
  rule: Rule,
  { dtypes = ['f32', 'f16', 'i32', 'u32'], whole }: Pick<Partial<Pointwise>, 'dtypes' | 'whole'> = {},
): Op {
  const op: Op = {
    name,
    pointwise: { arity, wgsl: wgsl as (...args: string[]) => string, f, dtypes, ...(whole ? { whole } : {}) },
    infer(inputs) {
      if (inputs.length !== arity) throw new DTypeError(`${name}: expected ${arity} operands, got ${inputs.length}`)
      const dtype = sameDType(name, inputs)
      if (!dtypes.includes(dtype)) throw new DTypeError(`${name}: expected ${dtypes.join(', ')}, got ${dtype}; cast it with .to('f32')`)
      return [{ shape: broadcastShapes(name, inputs.map((s) => s.shape)), dtype }]
    },
    kernels: ({ inputs, outputs }, target) => {
      const out = outputs[0] as Spec
      return [fusedKernel({
        inputs: inputs.map((s) => ({ dtype: s.dtype, view: broadcastView(s.shape, out.shape) })),
        scalars: [],
        steps: [{ op, args: inputs.map((_, index) => ({ kind: 'input', index })), dtype: out.dtype }],
        output: out,
      }, target)]
    },
    vjp(call, { inputs, outputs, grads, needs }) {
      const g = grads[0]
      const y = outputs[0]
      if (g === undefined || y === undefined) return []
      const [a, b = a, c = a] = inputs
      if (a === undefined || b === undefined || c === undefined) return []
      const cotangents = rule(call.m, g, [a, b, c], y)
      return inputs.map((x, i) => {
        const d = cotangents[i]
        return d === undefined || !needs[i] ? undefined : sumTo(call, d, call.spec(x).shape)
      })
    },
    reference(inputs) {
      const shape = broadcastShapes(name, inputs.map((s) => s.shape))
      const out = refZeros(shape, inputs[0]?.dtype)
      const maps = inputs.map((t) => indexMap(t, shape))
      const result = isFloat(out.dtype) ? f : wrapping(whole?.f ?? f, out.dtype)
      for (let i = 0; i < out.data.length; i++) {
        out.data[i] = result(...inputs.map((t, k) => element(t.data, maps[k]?.(i) ?? i)))
      }
      return [out]
    },
  }
  return op
}

/** A function of integers whose result is cut to 32 bits. */
function wrapping(f: (...args: number[]) => number, dtype: DType): (...args: number[]) => number {
  return dtype === 'u32' ? (...args) => f(...args) >>> 0 : (...args) => f(...args) | 0
}

/** Strides of a tensor read in a broadcast shape: 0 on the axes it repeats along. */
export function broadcastView(shape: readonly number[], out: readonly number[]): { strides: number[]; offset: number } {
  const own = stridesOf(shape)
  const lead = out.length - shape.length
  return { offset: 0, strides: out.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : at(own, i - lead))) }
}

function indexMap(t: RefTensor, out: readonly number[]): (flat: number) => number {
  if (t.data.length === sizeOf(out)) return (i) => i
  const { strides } = broadcastView(t.shape, out)
  return (flat) => {
    let rest = flat
    let index = 0
    for (let d = out.length - 1; d >= 0; d--) {
      const size = out[d] as number // an axis of the shape
      index += (rest % size) * (strides[d] as number)
      rest = Math.floor(rest / size)
    }
    return index
  }
}
