import { type Attrs, type DType, type Op, shapeText, type Spec } from '@antipode/kernels-wgsl'
import type { Tensor } from './tensor.ts'

/** One application of an op. Results hold it, and it holds its operands: a graph lives as long as someone wants its values. */
export interface Node {
  readonly op: Op
  readonly attrs: Attrs
  readonly inputs: readonly Tensor[]
  readonly specs: readonly Spec[]
  readonly outputs: readonly Tensor[]
  /** Equal for equal op, attributes and operand specs: what the structure of a graph is compared by. */
  readonly key: number
  /** Rises with every node made: operands come before results, and a graph runs in the order in which it was written. */
  readonly order: number
}

const keys = new Map<string, number>()

/** A small number for a text, the same for the same text. */
function intern(text: string): number {
  let key = keys.get(text)
  if (key === undefined) {
    key = keys.size
    keys.set(text, key)
  }
  return key
}

const texts = new WeakMap<readonly number[], string>()

/** The shape as a text, worked out once for an array. */
function textOf(shape: readonly number[]): string {
  let text = texts.get(shape)
  if (text === undefined) {
    text = shapeText(shape)
    texts.set(shape, text)
  }
  return text
}

let made = 0

/** The place of the next node in the order of making. */
export function nextOrder(): number {
  return made++
}

/** The structural key of a node. */
export function nodeKey(op: Op, attrs: Attrs, inputs: readonly Spec[]): number {
  let text = op.name + JSON.stringify(attrs)
  for (const { dtype, shape } of inputs) text += dtype + textOf(shape)
  return intern(text)
}

/** The structural key of a leaf. */
export function leafKey(dtype: DType, shape: readonly number[]): number {
  return intern(`leaf ${dtype}${textOf(shape)}`)
}
