import { at, isContiguous, sizeOf, type Spec, type View } from '@antipode/kernels-wgsl'
import { Copies } from './copies.ts'
import type { GraphNode, GraphStructure, LeafRef, ValueRef } from './graph.ts'
import { Overwritten } from './overwritten.ts'
import { type Operand, type Resolved, type Step, type Value, type ValueId, whole } from './resolved.ts'
import { type Uses, usesOf } from './uses.ts'

/**
 * The first pass: gives every value a number, and every operand the view in which it sees its value, so that no op is
 * left that only looks into another's result.
 * @throws {UnsupportedError} if an op reads what the graph has overwritten already, or overwrites what it computed
 */
export function resolve(graph: GraphStructure): Resolved {
  return new Resolver(graph).run()
}

const unread = { uses: Infinity, wanted: false, readers: [], place: undefined } as const

class Resolver {
  readonly #graph: GraphStructure
  readonly #uses: readonly (readonly Uses[])[]
  readonly #values: Value[] = []
  readonly #steps: Step[] = []
  readonly #leafParts: Operand[] = []
  readonly #overwritten: Overwritten
  /** What stands for each external value, and for each output of the nodes so far. */
  readonly #external = { leaf: [] as Operand[], constant: [] as Operand[], scalar: [] as Operand[] }
  readonly #outputs: (readonly Operand[])[] = []
  /** Results of ops that lay out their inputs, by op and inputs. */
  readonly #layouts = new Map<string, Operand>()
  readonly #copies = new Copies()

  constructor(graph: GraphStructure) {
    this.#graph = graph
    this.#uses = usesOf(graph)
    this.#overwritten = new Overwritten(graph.leaves)
  }

  run(): Resolved {
    this.#graph.nodes.forEach((node, index) => { this.#outputs.push(this.#node(node, index)) })
    const outputs = this.#graph.outputs.map((r) => this.#operand(r))
    for (const { value } of outputs) this.#overwritten.expectFresh('evaluate', value)
    const overwritten = this.#overwritten.leaves()
    return { values: this.#values, steps: this.#steps, outputs, leafParts: this.#leafParts, overwritten }
  }

  #node({ node, inputs: refs }: GraphNode, index: number): Operand[] {
    const { op, attrs, specs } = node
    const inputs = refs.map((r) => this.#operand(r))
    const [first] = inputs
    if (op.view && first) {
      for (const k of op.waitsFor ?? []) {
        const { value } = at(inputs, k)
        if (at(this.#values, value).source.kind !== 'scalar') this.#steps.push({ kind: 'wait', value })
      }
      const view = op.view(first.view, attrs)
      return [view ? { value: first.value, view } : this.#viewOfCopy(op.name, first, (v) => op.view?.(v, attrs))]
    }
    for (const { value } of inputs) this.#overwritten.expectFresh(op.name, value)
    const layout = op.offsetsInOutput && `${node.key}(${JSON.stringify(refs)})`
    const known = layout === undefined ? undefined : this.#layouts.get(layout) ?? this.#lyingSo(node, inputs)
    if (known) {
      for (const { value } of inputs) this.#steps.push({ kind: 'wait', value })
      return [known]
    }
    if (op.inplace) this.#copies.clear()
    const uses = at(this.#uses, index)
    const outputs = specs.map((spec, k) => this.#value({ spec, source: { kind: 'computed' }, ...at(uses, k) }))
    const overwrites = outputs.map((result, k) => {
      const operand = inputs[op.inplace?.[k] ?? -1]
      return operand && this.#overwritten.note(op.name, operand, at(this.#values, operand.value).spec, result)
    })
    this.#steps.push({ kind: 'compute', op, attrs, inputs, outputs, overwrites })
    const seen = outputs.map((value, k): Operand => ({ value, view: whole(at(specs, k)) }))
    if (layout !== undefined) this.#layouts.set(layout, at(seen, 0))
    return seen
  }

  #operand(ref: ValueRef): Operand {
    if (ref.kind === 'output') return at(at(this.#outputs, ref.node), ref.index)
    const known = this.#external[ref.kind][ref.index] ?? this.#externalValue(ref.kind, ref.index)
    this.#external[ref.kind][ref.index] = known
    return ref.kind === 'leaf' && ref.part ? this.#partOf(known.value, ref.part) : known
  }

  #externalValue(kind: 'leaf' | 'constant' | 'scalar', index: number): Operand {
    const { leaves, constants, scalarTypes } = this.#graph
    const { shape, dtype }: Spec = kind === 'leaf' ? at(leaves, index).spec
      : kind === 'constant' ? at(constants, index).spec : { shape: [], dtype: at(scalarTypes, index) }
    const spec = { shape, dtype }
    const value = this.#value({ spec, source: { kind, index }, ...unread })
    if (kind === 'leaf') this.#overwritten.holds(index, value)
    return { value, view: whole(spec) }
  }

  /** A stored tensor that is part of a leaf. */
  #partOf(value: ValueId, { shape, start }: NonNullable<LeafRef['part']>): Operand {
    const { dtype } = at(this.#values, value).spec
    const part = { value, view: { ...whole({ shape, dtype }), offset: start } }
    this.#leafParts.push(part)
    return part
  }

  #viewOfCopy(where: string, input: Operand, view: (whole: View) => View | undefined): Operand {
    this.#overwritten.expectFresh(where, input.value)
    let copy = this.#copies.of(input)
    if (copy === undefined) {
      const { dtype } = at(this.#values, input.value).spec
      copy = this.#value({ spec: { shape: input.view.shape, dtype }, source: { kind: 'computed' }, ...unread })
      this.#copies.add(input, copy)
      this.#steps.push({ kind: 'copy', input, output: copy })
    }
    const all = whole(at(this.#values, copy).spec)
    return { value: copy, view: view(all) ?? all }
  }

  /** The value in which the inputs of an op that lays them out lie already as it would put them. */
  #lyingSo(node: GraphNode['node'], inputs: readonly Operand[]): Operand | undefined {
    const { op, attrs, inputs: specs, specs: [spec] } = node
    const starts = op.offsetsInOutput?.(specs, attrs)
    const [first] = inputs
    if (!starts || !spec || !first) return undefined
    const { value } = first
    const { spec: { shape }, source, uses, wanted } = at(this.#values, value)
    // What has one reader is computed for it, in its place.
    const stored = source.kind === 'computed' ? uses !== 1 || wanted : source.kind !== 'scalar'
    if (!stored || sizeOf(shape) !== sizeOf(spec.shape)) return undefined
    const lie = inputs.every((x, k) => x.value === value && x.view.offset === starts[k] && isContiguous(x.view))
    return lie ? { value, view: whole(spec) } : undefined
  }

  #value(value: Value): ValueId {
    return this.#values.push(value) - 1
  }
}
