import type { Input } from '../workload.ts'
import { encode, type Field, float, message, type Message } from './protobuf.ts'

// Field numbers and types are those of onnx/onnx.proto3 at opset 17.

/** An operator of a graph. Attributes are floats where their name says so, else integers or lists of them. */
export interface Node {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>
}

/** A graph on f32 tensors. */
export interface Graph {
  readonly nodes: readonly Node[]
  readonly inputs: Readonly<Record<string, readonly number[]>>
  readonly outputs: Readonly<Record<string, readonly number[]>>
  /** Weights, kept with the model; 64-bit integers where an operator wants shapes. */
  readonly weights: Readonly<Record<string, Input | readonly number[]>>
}

const opset = 17
const [typeFloat, typeInt64] = [1, 7]
/** Attributes that operators declare as floats. */
const floats = new Set(['epsilon', 'alpha', 'beta'])

/** A graph as the bytes of a .onnx file. */
export function encodeModel({ nodes, inputs, outputs, weights }: Graph): Uint8Array<ArrayBuffer> {
  const graph = message(
    ...nodes.map((node): Field => [1, nodeOf(node)]),
    [2, 'benchmark'],
    ...Object.entries(weights).map(([name, weight]): Field => [5, tensorOf(name, weight)]),
    ...Object.entries(inputs).map(([name, shape]): Field => [11, valueOf(name, shape)]),
    ...Object.entries(outputs).map(([name, shape]): Field => [12, valueOf(name, shape)]),
  )
  // IR version 8 belongs to opset 17.
  return encode(message([1, 8], [7, graph], [8, message([1, ''], [2, opset])]))
}

function nodeOf({ op, inputs, outputs, attributes = {} }: Node): Message {
  return message(
    ...inputs.map((name): Field => [1, name]),
    ...outputs.map((name): Field => [2, name]),
    [3, outputs[0] ?? op],
    [4, op],
    ...Object.entries(attributes).map(([name, value]): Field => [5, attributeOf(name, value)]),
  )
}

function attributeOf(name: string, value: number | readonly number[]): Message {
  if (typeof value !== 'number') return message([1, name], ...value.map((v): Field => [8, BigInt.asUintN(64, BigInt(v))]), [20, 7])
  return floats.has(name) ? message([1, name], [2, float(value)], [20, 1]) : message([1, name], [3, BigInt.asUintN(64, BigInt(value))], [20, 2])
}

function tensorOf(name: string, weight: Input | readonly number[]): Message {
  const integers = !('data' in weight)
  const { data, shape } = integers ? { data: BigInt64Array.from(weight, BigInt), shape: [weight.length] } : weight
  return message(
    ...shape.map((size): Field => [1, size]),
    [2, integers ? typeInt64 : typeFloat],
    [8, name],
    [9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
  )
}

function valueOf(name: string, shape: readonly number[]): Message {
  const dimensions = message(...shape.map((size): Field => [1, message([1, size])]))
  return message([1, name], [2, message([1, message([1, typeFloat], [2, dimensions])])])
}
