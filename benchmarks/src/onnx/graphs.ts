import { sizeOf } from '../reference/index.ts'
import type { Input, Problem } from '../workload.ts'
import type { Graph, Node } from './model.ts'

/** One operation, as nodes from the tensor `from` to the tensor `to`; names of anything else must begin with `prefix`. */
type Step = (from: string, to: string, prefix: string, index: number) => readonly Node[]

/** An operation that can be repeated: the result of one is the input of the next. */
interface Chain {
  readonly step: Step
  readonly input: Input
  readonly weights: Graph['weights']
  /** Shape of the result of step `index`, counted from 0. */
  readonly shape: (index: number) => readonly number[]
  /** Steps that change the shape and change it back come together. */
  readonly period: number
}

const node = (op: string, inputs: readonly string[], output: string | readonly string[], attributes: Node['attributes'] = {}): Node =>
  ({ op, inputs, outputs: typeof output === 'string' ? [output] : output, attributes })

const number = (value: number): Input => ({ shape: [], data: Float32Array.of(value) })

/** Only its first use of an input costs an upload, so everything but one input is a weight of the model. */
const chains: Partial<Record<Problem['kind'], (inputs: Readonly<Record<string, Input>>) => Chain>> = {
  matmul({ a, b }) {
    const [a1, b1] = [a!, b!]
    const [m = 1, k = 1] = a1.shape
    const n = b1.shape[1] ?? 1
    // The same weights, smaller, lead back: a product of the same work, and the numbers of a long chain stay finite.
    return {
      step: (from, to, _, index) => [node('MatMul', [from, index % 2 === 0 ? 'there' : 'back'], to)],
      input: a1, weights: { there: b1, back: { shape: [n, k], data: b1.data.map((v) => v / Math.sqrt(k * n)) } },
      shape: (index) => (index % 2 === 0 ? [m, n] : [m, k]), period: k === n ? 1 : 2,
    }
  },
  conv3x3: ({ x, w }) => ({
    step: (from, to) => [node('Conv', [from, 'w'], to, { pads: [1, 1, 1, 1], kernel_shape: [3, 3] })],
    input: x!, weights: { w: w! }, shape: () => x!.shape, period: 1,
  }),
  attention({ q, k, v }) {
    const [b = 1, h = 1, m = 1, d = 1] = k!.shape
    return {
      step: (from, to, p) => [
        node('MatMul', [from, 'kt'], `${p}s`), node('Mul', [`${p}s`, 'scale'], `${p}t`),
        node('Softmax', [`${p}t`], `${p}w`, { axis: 3 }), node('MatMul', [`${p}w`, 'v'], to),
      ],
      input: q!, weights: { kt: { shape: [b, h, d, m], data: transposed(k!.data, [b * h, m, d]) }, v: v!, scale: number(d ** -0.5) },
      shape: () => q!.shape, period: 1,
    }
  },
  groupNormSilu({ x, weight, bias }) {
    const [b = 1, c = 1] = x!.shape
    const groups = 32
    return {
      step: (from, to, p) => [
        node('Reshape', [from, 'grouped'], `${p}g`), node('InstanceNormalization', [`${p}g`, 'ones', 'zeros'], `${p}n`, { epsilon: 1e-5 }),
        node('Reshape', [`${p}n`, 'flat'], `${p}f`), node('Mul', [`${p}f`, 'weight'], `${p}m`), node('Add', [`${p}m`, 'bias'], `${p}a`),
        node('Sigmoid', [`${p}a`], `${p}s`), node('Mul', [`${p}a`, `${p}s`], to),
      ],
      input: x!,
      weights: {
        grouped: [b, groups, x!.data.length / groups / b], flat: x!.shape,
        ones: { shape: [groups], data: new Float32Array(groups).fill(1) }, zeros: { shape: [groups], data: new Float32Array(groups) },
        weight: { shape: [c, 1, 1], data: weight!.data }, bias: { shape: [c, 1, 1], data: bias!.data },
      },
      shape: () => x!.shape, period: 1,
    }
  },
  feedForward({ x, w1, b1, w2, b2 }) {
    const [wide = 1, d = 1] = w1!.shape
    return {
      step: (from, to, p) => [
        node('Gemm', [from, 'w1', 'b1'], `${p}h`, { transB: 1 }), node('Split', [`${p}h`, 'halves'], [`${p}l`, `${p}r`], { axis: 1 }),
        // The optimiser of graphs knows these five as GELU.
        node('Div', [`${p}r`, 'root'], `${p}d`), node('Erf', [`${p}d`], `${p}e`), node('Add', [`${p}e`, 'one'], `${p}p`),
        node('Mul', [`${p}r`, `${p}p`], `${p}q`), node('Mul', [`${p}q`, 'half'], `${p}u`),
        node('Mul', [`${p}l`, `${p}u`], `${p}y`), node('Gemm', [`${p}y`, 'w2', 'b2'], to, { transB: 1 }),
      ],
      input: x!,
      weights: { w1: w1!, b1: b1!, w2: w2!, b2: b2!, halves: [wide / 2, wide / 2], root: number(Math.SQRT2), one: number(1), half: number(0.5) },
      shape: () => [x!.shape[0] ?? 1, d], period: 1,
    }
  },
  add: ({ a, b }) => plain('Add', a!, b!),
  addChain: ({ x, b }) => plain('Add', x!, b!),
  matmulChain: ({ x, r }) => plain('MatMul', x!, r!),
}

function plain(op: string, input: Input, operand: Input): Chain {
  return { step: (from, to) => [node(op, [from, 'operand'], to)], input, weights: { operand }, shape: () => input.shape, period: 1 }
}

/** Last two axes of `[batch, rows, columns]` exchanged. */
function transposed(data: Float32Array, [batch, rows, columns]: readonly [number, number, number]): Float32Array {
  const out = new Float32Array(data.length)
  for (let z = 0; z < batch; z++) {
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[(z * columns + j) * rows + i] = data[(z * rows + i) * columns + j] ?? 0
  }
  return out
}

/** A problem as graphs of any length. @throws {TypeError} if it cannot be chained */
export interface Repeatable {
  readonly input: Input
  readonly period: number
  /** The operation `count` times over, as a graph from `x` to `y`. */
  graph(count: number): Graph
  /** Elements of its result. */
  sizeOfResult(count: number): number
}

/** {@link Repeatable} of a problem. */
export function repeatable({ kind, inputs }: Problem): Repeatable {
  const chain = chains[kind]?.(inputs)
  if (!chain) throw new TypeError(`onnxruntime: expected one of ${Object.keys(chains).join(', ')}, got ${kind}`)
  const { step, input, weights, shape, period } = chain
  return {
    input, period,
    graph: (count) => ({
      nodes: Array.from({ length: count }, (_, i) => step(i === 0 ? 'x' : `t${i}`, i === count - 1 ? 'y' : `t${i + 1}`, `s${i}_`, i)).flat(),
      inputs: { x: input.shape }, outputs: { y: shape(count - 1) }, weights,
    }),
    sizeOfResult: (count) => sizeOf(shape(count - 1)),
  }
}
