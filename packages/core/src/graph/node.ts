import { type Attrs, type BlockType, blockTypes, type DType, inBlocks, type Op, shapeText, sizeOf, type Spec } from '@antipode/kernels-wgsl'
import { DTypeError, ShapeError } from '../errors.ts'
import { exactText, identityOf } from './exact.ts'
import { Recent } from './recent.ts'
import { checkShape } from './shape.ts'

/** A shape and element type: the same object for all that are equal. */
export interface SharedSpec extends Spec {
  /** Another for every other spec. */
  readonly key: number
}

/**
 * What nodes of equal op, attributes and operand specs have in common: a program makes the same ones again and again.
 */
export interface Signature {
  /** Another for every other signature: what the structure of a graph is compared by. */
  readonly key: number
  /** Of the outputs. */
  readonly specs: readonly SharedSpec[]
}

/**
 * One application of an op. Results hold it, and it holds its operands: a graph lives as long as someone wants its
 * values.
 */
export interface GraphNode<T> extends Signature {
  readonly op: Op
  readonly attrs: Attrs
  readonly inputs: readonly T[]
  readonly outputs: readonly T[]
  /**
   * Rises with every node made: operands come before results, and a graph runs in the order in which it was written.
   */
  readonly order: number
  /** What it stands for, where it is a call of a compiled function. */
  readonly trace: GraphTrace<T> | undefined
  /** Where the program made it, if the device keeps that. */
  readonly stack: string | undefined
}

/** What a compiled function computes: nodes, operands before results, none of which is a call itself. */
export interface GraphTrace<T> {
  readonly nodes: readonly TracedGraphNode<T>[]
  /** In the order of the outputs of a call. */
  readonly outputs: readonly TraceRef[]
  /** Those of its nodes that lay out inputs of the call. */
  readonly coalescing: readonly TracedGraphNode<T>[]
}

export interface TracedGraphNode<T> {
  readonly node: GraphNode<T>
  readonly inputs: readonly TraceRef[]
}

/** A value in a trace: an input of the call, by number, or an output of one of its nodes. */
export type TraceRef =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'output'; readonly node: number; readonly index: number }

/** Element types, for checks at run time. */
export const dtypes: readonly DType[] = [
  'f32', 'f16', 'bf16', 'i32', 'u32', ...(Object.keys(blockTypes) as BlockType[]), // its keys
]

/**
 * Specs, signatures, and signatures of calls of compiled functions that are remembered. A large network makes some
 * thousands; of a program whose shapes never repeat, those used longest ago are forgotten. What is met again after that
 * gets another key, and a new plan.
 */
const specs = /* @__PURE__ */ new Recent<SharedSpec>(8192)
const signatures = /* @__PURE__ */ new Recent<Signature>(8192)
const calls = /* @__PURE__ */ new Recent<Signature>(256)
let keys = 0

/** Structures remembered, of all sorts. */
export function rememberedStructures(): number {
  return specs.size + signatures.size + calls.size
}

/**
 * The one object for a shape and element type.
 * @throws {ShapeError} if the shape is none, named as `where` says @throws {DTypeError} if there is no such element
 * type
 */
export function sharedSpec({ shape, dtype }: Spec, where = 'tensor'): SharedSpec {
  const text = dtype + shape.join()
  let spec = specs.get(text)
  if (!spec) {
    checkShape(where, shape)
    if (!dtypes.includes(dtype)) throw new DTypeError(`${where}: expected ${dtypes.join(', ')}, got ${String(dtype)}`)
    if (inBlocks(dtype) && shape.length > 0 && sizeOf(shape) % blockTypes[dtype].size !== 0) {
      throw new ShapeError(`${where}: expected whole blocks of ${blockTypes[dtype].size} numbers in ${dtype}, got ${shapeText(shape)}`)
    }
    // Whoever made the array may change it later.
    spec = { shape: Object.freeze([...shape]), dtype, key: keys++ }
    specs.set(text, spec)
  }
  return spec
}

function newSignature(cache: Recent<Signature>, text: string, specs: readonly Spec[], where: string): Signature {
  const signature = { key: keys++, specs: specs.map((s) => sharedSpec(s, where)) }
  cache.set(text, signature)
  return signature
}

/** What a signature takes of an operand. */
interface Operand {
  readonly spec: SharedSpec
}

/**
 * The signature of a node. Ops are told by being the same, since two may share a name, and attributes by their exact
 * values. Only the first of a signature is checked and has its outputs' shapes worked out.
 */
export function signatureOf(op: Op, attrs: Attrs, inputs: readonly (Operand & Spec)[]): Signature {
  let text = identityOf(op) + exactText(attrs)
  for (const { spec } of inputs) text += `,${spec.key}`
  const known = signatures.get(text)
  if (known) return known
  const blocks = inputs.find(({ dtype }) => inBlocks(dtype))
  if (blocks && !op.takesBlocks) {
    throw new DTypeError(`${op.name}: expected numbers to compute with, got ${blocks.dtype}; cast them with .to('f16') or .to('f32')`)
  }
  return newSignature(signatures, text, op.infer(inputs, attrs), op.name)
}

/**
 * The signature of a call, the same for all traces of one structure: functions that are compiled anew share plans with
 * those before.
 */
export function signatureOfTrace<T>(
  { nodes, outputs }: GraphTrace<T>, inputs: readonly Operand[], specs: readonly Spec[],
): Signature {
  const ref = (r: TraceRef): string => (r.kind === 'input' ? `i${r.index}` : `${r.node}.${r.index}`)
  const parts = nodes.map(({ node, inputs: operands }) => `${node.key}(${operands.map(ref).join()})`)
  const text = `${inputs.map((t) => t.spec.key).join()}:${parts.join('')}:${outputs.map(ref).join()}`
  return calls.get(text) ?? newSignature(calls, text, specs, 'compile')
}

let made = 0

/** The place of the next node in the order of making. */
export function nextOrder(): number {
  return made++
}
