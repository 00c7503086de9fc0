import type { Attrs, Op, Spec } from '@antipode/kernels-wgsl'
import type { Tensor } from './tensor.ts'

/** A shape and element type: the same object for all that are equal. */
export interface SharedSpec extends Spec {
  /** Another for every other spec. */
  readonly key: number
}

/** What nodes of equal op, attributes and operand specs have in common: a program makes the same ones again and again. */
export interface Kind {
  /** Another for every other kind: what the structure of a graph is compared by. */
  readonly key: number
  /** Of the outputs. */
  readonly specs: readonly SharedSpec[]
}

/** One application of an op. Results hold it, and it holds its operands: a graph lives as long as someone wants its values. */
export interface Node extends Kind {
  readonly op: Op
  readonly attrs: Attrs
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  /** Rises with every node made: operands come before results, and a graph runs in the order in which it was written. */
  readonly order: number
  /** What it stands for, where it is a call of a compiled function. */
  readonly trace: Trace | undefined
}

/** What a compiled function computes: nodes, operands before results, none of which is a call itself. */
export interface Trace {
  readonly nodes: readonly TracedNode[]
  /** In the order of the outputs of a call. */
  readonly outputs: readonly TraceRef[]
  /** Those of its nodes that join inputs of the call. */
  readonly joins: readonly TracedNode[]
}

export interface TracedNode {
  readonly node: Node
  readonly inputs: readonly TraceRef[]
}

/** A value in a trace: an input of the call, by number, or an output of one of its nodes. */
export type TraceRef = { readonly kind: 'input'; readonly index: number } | { readonly kind: 'output'; readonly node: number; readonly index: number }

const specs = new Map<string, SharedSpec>()

/** The one object for a shape and element type. */
export function sharedSpec({ shape, dtype }: Spec): SharedSpec {
  const text = dtype + shape.join()
  let spec = specs.get(text)
  if (!spec) {
    // Whoever made the array may change it later.
    spec = { shape: Object.freeze([...shape]), dtype, key: specs.size }
    specs.set(text, spec)
  }
  return spec
}

const kinds = new Map<string, Kind>()

function newKind(text: string, specs: readonly Spec[]): Kind {
  const kind = { key: kinds.size, specs: specs.map(sharedSpec) }
  kinds.set(text, kind)
  return kind
}

/** The kind of a node. Only the first of a kind is checked and has its outputs' shapes worked out. */
export function kindOf(op: Op, attrs: Attrs, inputs: readonly Tensor[]): Kind {
  let text = op.name + JSON.stringify(attrs)
  for (const { spec } of inputs) text += `,${spec.key}`
  return kinds.get(text) ?? newKind(text, op.infer(inputs, attrs))
}

/** The kind of a call, the same for all traces of one structure: functions that are compiled anew share plans with those before. */
export function kindOfTrace({ nodes, outputs }: Trace, inputs: readonly Tensor[], specs: readonly Spec[]): Kind {
  const ref = (r: TraceRef): string => (r.kind === 'input' ? `i${r.index}` : `${r.node}.${r.index}`)
  const parts = nodes.map(({ node, inputs: operands }) => `${node.key}(${operands.map(ref).join()})`)
  const text = `trace ${inputs.map((t) => t.spec.key).join()}:${parts.join('')}:${outputs.map(ref).join()}`
  return kinds.get(text) ?? newKind(text, specs)
}

let made = 0

/** The place of the next node in the order of making. */
export function nextOrder(): number {
  return made++
}
