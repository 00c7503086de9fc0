import { after, bindingAlignment, byteSize, cast, fusedEpilogue, fusedKernel, isContiguous, type Kernel, kernelFlops, lower, type Op, packedForms, type PackedKernel, type PackedLayout, type Problem, sizeOf, type Spec, type Target } from '@antipode/kernels-wgsl'
import { UnsupportedError } from '../errors.ts'
import type { Node } from '../graph/index.ts'
import { awaitNext, awaitsTaker, type End, ExpressionBuilder, type Expression, fusedOf, giverOf, inOrder, mayEndIn, type PendingKernel, type Seen, type Value, whole } from './value.ts'
import { Buffers, bytesOf, type PlanBuffer } from './buffers.ts'
import { Copies } from './copies.ts'
import type { LeafRef } from './leaves.ts'
import { Packs } from './packs.ts'
import { countUses, overwrittenLeaves, packedReaders, placesOf } from './uses.ts'
import type { Graph, ValueRef } from './walk.ts'

/** One dispatch, its storage buffers by number in binding order, and which graph scalars fill its scalar words. */
export interface Dispatch {
  readonly kernel: Kernel
  readonly buffers: readonly number[]
  readonly scalars: readonly number[]
  /** Floating-point operations of its product, convolution or attention; 0 for other kernels. See {@link kernelFlops}. */
  readonly flops: number
  /** Bytes of the buffers and textures it binds, each counted once and whole, its parameters aside. */
  readonly bytes: number
  /** The texture that it packs a leaf into, where that may be kept from run to run. */
  readonly packs?: number
}

/** The work of a graph before memory is assigned. */
export interface Program {
  readonly buffers: readonly PlanBuffer[]
  readonly dispatches: readonly Dispatch[]
  /** Buffer of each output of the graph, in order. */
  readonly outputs: readonly number[]
  /** The leaves that are overwritten, by number. */
  readonly overwritten: readonly number[]
}

/** Turns a graph into dispatches: resolves views, fuses elementwise chains, and lowers ops to kernels of the target. */
export function build(graph: Graph, target: Target): Program {
  return new Builder(graph, target).run()
}

/** In place of the buffer of what is only packed. */
const nowhere = -1

class Builder {
  readonly #graph: Graph
  readonly #target: Target
  readonly #buffers: Buffers
  readonly #dispatches: Dispatch[] = []
  readonly #seen = new Map<string, Seen>()
  readonly #pending = new Set<Value>()
  readonly #packs = new Packs()
  readonly #copies = new Copies()
  readonly #joins = new Map<string, Seen>()
  /** Parts of leaves that are the values of tensors. */
  readonly #tensors = new Set<number>()
  readonly #changing: ReadonlySet<number>

  constructor(graph: Graph, target: Target) {
    this.#graph = graph
    this.#target = target
    this.#buffers = new Buffers(graph)
    this.#changing = new Set(overwrittenLeaves(graph))
  }

  run(): Program {
    const { nodes, outputs } = this.#graph
    const uses = countUses(this.#graph)
    const places = placesOf(this.#graph)
    for (const [index, { node, inputs }] of nodes.entries()) {
      const operands = inputs.map((r) => this.#resolve(r))
      const useOf = (k: number): Pick<Value, 'uses' | 'wanted' | 'packedReaders' | 'place'> => {
        const use = uses.get(`${index}.${k}`)
        const packed = k === 0 && packedForms(node.op)?.rematerialise && use ? packedReaders(use, this.#target) : undefined
        return { uses: use?.uses ?? 0, wanted: use?.wanted ?? false, packedReaders: packed, place: places.get(`${index}.${k}`) }
      }
      const define = (k: number, seen: Seen): void => { this.#seen.set(`${index}.${k}`, seen) }
      const spec = node.specs[0] as Spec
      const [first] = operands
      if (node.op.view && first) {
        const [, waited] = operands
        if (node.op === after && waited && waited.value.state.kind !== 'scalar') this.#store(waited.value)
        const view = node.op.view(first.view, node.attrs)
        define(0, view ? { value: first.value, view } : this.#viewOfCopy(first, node.op, node.attrs))
      } else if (isElementwise(node.op, spec)) {
        const expression = this.#fuse(node.op, operands, spec)
        const value: Value = { spec, ...useOf(0), state: { kind: 'expression', expression } }
        if (expression.root) expression.root.owner = value
        define(0, { value, view: whole(spec) })
        this.#await(value)
        if (!awaitsTaker(value)) this.#store(value)
      } else {
        for (const [k, seen] of operands.entries()) {
          this.#expectFresh(node.op, seen.value)
          // Nothing but what is packed can be taken into a kernel's operand, so it is computed now: a long chain must not pile up.
          const waits = k === packedForms(node.op)?.packedInput && giverOf(seen)
          if (seen.value.state.kind !== 'scalar' && !waits) this.#store(seen.value)
        }
        const same = node.op.starts && `${node.key}(${JSON.stringify(inputs)})`
        const known = same && (this.#joins.get(same) ?? this.#lying(node, operands))
        if (known) {
          define(0, known)
          continue
        }
        if (node.op.inplace) this.#flush()
        const kernel: { -readonly [K in keyof PendingKernel]: PendingKernel[K] } =
          { op: node.op, attrs: node.attrs, inputs: operands, values: [], owner: undefined, emitted: false }
        kernel.values = node.specs.map((s, k) => ({ spec: s, ...useOf(k), state: { kind: 'kernel', kernel } }))
        kernel.values.forEach((value, k) => {
          define(k, { value, view: whole(value.spec) })
          this.#await(value)
        })
        const [value] = kernel.values
        if (same && value) this.#joins.set(same, { value, view: whole(value.spec) })
        if (node.op.inplace || !value || !awaitsTaker(value) || !mayEndIn(kernel, value, value.spec.dtype)) this.#emitKernel(kernel, undefined)
      }
    }
    const ids = outputs.map((r) => this.#output(this.#resolve(r)))
    return { buffers: this.#buffers.list, dispatches: this.#dispatches, outputs: ids, overwritten: [...this.#changing] }
  }

  #await(value: Value): void {
    if (value.uses > 0 || value.wanted) this.#pending.add(value)
  }

  /** Emits what is pending, so that it reads operands before they are overwritten. */
  #flush(): void {
    for (const value of this.#pending) if (value.state.kind !== 'buffer') this.#store(value)
    this.#pending.clear()
  }

  #resolve(ref: ValueRef): Seen {
    const key = ref.kind === 'output' ? `${ref.node}.${ref.index}` : `${ref.kind}${ref.index}`
    const known = this.#seen.get(key)
    if (known && ref.kind === 'leaf' && ref.part) return this.#seePart(known.value, ref.part)
    if (known || ref.kind === 'output') return known as Seen
    const spec: Spec = ref.kind === 'leaf' ? (this.#graph.leaves[ref.index]?.spec as Spec)
      : ref.kind === 'constant' ? (this.#graph.constants[ref.index] as Spec) : { shape: [], dtype: this.#graph.scalarTypes[ref.index] ?? 'f32' }
    const value: Value = {
      spec: { shape: spec.shape, dtype: spec.dtype }, uses: Infinity, wanted: false,
      state: ref.kind === 'scalar' ? { kind: 'scalar', index: ref.index } : { kind: 'buffer', id: this.#buffers.external(ref.kind, ref.index, bytesOf(spec)) },
    }
    this.#seen.set(key, { value, view: whole(spec) })
    return this.#resolve(ref)
  }

  /** A stored tensor that is part of a leaf. */
  #seePart(value: Value, { shape, start }: NonNullable<LeafRef['part']>): Seen {
    const seen = { value, view: { ...whole({ shape, dtype: value.spec.dtype }), offset: start } }
    const id = this.#bindable(seen)
    if (id !== undefined) this.#tensors.add(id)
    return seen
  }

  /** What a join gives where its operands lie in one value as it would put them. */
  #lying({ op, attrs, inputs, specs: [spec] }: Node, operands: readonly Seen[]): Seen | undefined {
    const starts = op.starts?.(inputs, attrs)
    const value = operands[0]?.value
    if (!starts || !spec || value?.state.kind !== 'buffer' || sizeOf(value.spec.shape) !== sizeOf(spec.shape)) return undefined
    const lie = operands.every((x, k) => x.value === value && x.view.offset === starts[k] && isContiguous(x.view))
    return lie ? { value, view: whole(spec) } : undefined
  }

  #fuse(op: Op, operands: readonly Seen[], output: Spec): Expression {
    for (const seen of operands) this.#expectFresh(op, seen.value)
    const builder = new ExpressionBuilder(output)
    const args = operands.map((seen) => {
      const arg = builder.argument(seen)
      if (arg) return arg
      this.#store(seen.value)
      return builder.argument(seen)
    })
    const expression = builder.finish()
    // Storing one operand may have emitted what another had taken in, and a full builder takes no more: then every
    // operand is stored on its own, and the op reads buffers only.
    if (args.includes(undefined) || expression.root?.emitted) {
      for (const seen of operands) if (seen.value.state.kind !== 'scalar') this.#store(seen.value)
      return this.#fuse(op, operands, output)
    }
    for (const value of builder.taken) this.#pending.delete(value)
    builder.push({ op: op.pointwise ? op : undefined, args: args.filter((a) => a !== undefined), dtype: output.dtype })
    return expression
  }

  /** Makes sure a value lies in a buffer, emitting whatever computes it. */
  #store(value: Value): number {
    const { state } = value
    if (state.kind === 'buffer') return state.id
    if (state.kind === 'scalar') return this.#store(this.#copy({ value, view: whole(value.spec) }))
    if (state.kind === 'expression') this.#emitExpression(value, state.expression)
    else if (state.kernel.owner) this.#store(state.kernel.owner)
    else this.#emitKernel(state.kernel, undefined)
    return this.#store(value)
  }

  #emitExpression(value: Value, e: Expression): void {
    if (e.root && !e.root.emitted) {
      this.#emitKernel(e.root, { value, expression: e })
      return
    }
    const inputs = e.inputs.map((x) => this.#store(x.value))
    const id = this.#buffers.make(value.spec, value.place, inputs)
    value.state = { kind: 'buffer', id }
    const kernel = fusedKernel(fusedOf(e, value.spec), this.#target)
    this.#dispatch(kernel, kernel.bindings.map((b) => (b.kind === 'output' ? id : inputs[b.index] as number)), e.scalars, 0)
  }

  #dispatch(kernel: Kernel, buffers: readonly number[], scalars: Expression['scalars'], flops: number): void {
    const bound = kernel.scalarWord === undefined ? [] : scalars.map((s) => s.index)
    this.#dispatches.push({ kernel, buffers, scalars: bound, flops, bytes: this.#buffers.bytes(buffers) })
  }

  /** Emits an op. With `layout` its first output is packed: the texture is returned, or undefined if it could not be, and nothing was done. */
  #emitKernel(pending: PendingKernel, end: End | undefined, layout?: PackedLayout): number | undefined {
    const { op, attrs, values } = pending
    const problem: Problem = {
      inputs: pending.inputs.map((x) => ({ shape: x.view.shape, dtype: x.value.spec.dtype })),
      outputs: values.map((v) => v.spec),
      attrs,
      ...(end ? { epilogue: fusedEpilogue(fusedOf(end.expression, end.value.spec)) } : {}),
    }
    const forms = packedForms(op)
    const all: readonly PackedKernel[] | undefined = layout ? forms?.write?.(problem, layout, this.#target) : lower(op, problem, this.#target)
    if (!all) return undefined
    const scratch = new Map<string, number>()
    const taken = pending.inputs[forms?.packedInput ?? -1]
    const giver = taken && giverOf(taken)
    const packer = giver ? all.find((k) => k.layout) : undefined
    const given = giver && packer?.layout && this.#emitKernel(giver.kernel, giver.end, packer.layout)
    if (given !== undefined) scratch.set(`texture${packer?.layout?.texture}`, given)
    const kernels = given === undefined ? all : all.filter((k) => k !== packer)
    const inputs = pending.inputs.map((x) => (x === taken && given !== undefined ? nowhere : this.#contiguous(x)))
    // A kernel must not read a buffer that it overwrites under another name: such an operand is copied.
    const overwritten = new Set(op.inplace?.flatMap((k) => k ?? []))
    pending.inputs.forEach((x, k) => {
      if (!overwritten.has(k) && [...overwritten].some((o) => this.#buffers.wholeOf(inputs[o] as number) === this.#buffers.wholeOf(inputs[k] as number))) inputs[k] = this.#store(this.#copy(x))
    })
    const extras = end?.expression.inputs.map((x) => this.#store(x.value)) ?? []
    const outputs = values.map((v, k) => {
      const shared = op.inplace?.[k]
      if (shared !== undefined) return this.#overwrite(op, inputs[shared] as number, v)
      if (k === 0 && layout) return nowhere
      const made = k === 0 && end ? end.value : v
      // A join reads what lies in its result only where that is in its place, and then not at all.
      return this.#buffers.make(made.spec, made.place, op.starts ? [] : [...inputs, ...extras])
    })
    pending.emitted = true
    values.forEach((v, k) => { v.state = { kind: 'buffer', id: outputs[k] as number } })
    if (end) end.value.state = { kind: 'buffer', id: outputs[0] as number }
    if (layout && !end) awaitNext(pending)
    const flops = kernelFlops(op, problem, kernels)
    const inPlace = this.#placed(op, problem, inputs, outputs[0] as number)
    // What lies elsewhere in a join's result, as a tensor does that is in it twice, cannot be read while that is written.
    pending.inputs.forEach((x, k) => {
      if (op.starts && !inPlace[k] && this.#buffers.wholeOf(inputs[k] as number) === outputs[0]) inputs[k] = this.#store(this.#copy(x))
    })
    for (const [k, kernel] of kernels.entries()) {
      if (kernel.bindings.some((b) => b.kind === 'input' && inPlace[b.index])) continue
      const pack = Packs.of(kernel, inputs)
      const known = pack && this.#packs.get(pack.key)
      if (pack && known !== undefined) {
        scratch.set(`texture${pack.index}`, known)
        continue
      }
      const buffers = kernel.bindings.map((b) => {
        if (b.kind === 'input') return inputs[b.index] as number
        if (b.kind === 'output') return outputs[b.index] as number
        if (b.kind === 'extra') return extras[b.index] as number
        const key = `${b.kind}${b.index}`
        const id = scratch.get(key) ?? this.#buffers.scratch(b)
        scratch.set(key, id)
        return id
      })
      this.#dispatch(kernel, buffers, end?.expression.scalars ?? [], flops[k] ?? 0)
      const made = pack && scratch.get(`texture${pack.index}`)
      if (pack && made !== undefined && !this.#keep(pack.key, made, buffers)) this.#packs.set(pack.key, made)
    }
    if (op.inplace) {
      this.#packs.clear()
      this.#copies.clear()
    }
    return layout && scratch.get(`texture${layout.texture}`)
  }

  /** Which operands of a join were computed in their places in its result. */
  #placed(op: Op, { inputs: specs, attrs }: Problem, inputs: readonly number[], output: number): boolean[] {
    const starts = op.starts?.(specs, attrs)
    return inputs.map((id, k) => {
      const buffer = this.#buffers.at(id)
      const offset = (starts?.[k] ?? 0) * byteSize(specs[k]?.dtype ?? 'f32')
      return starts !== undefined && (buffer?.kind === 'part' ? buffer.of === output && buffer.offset === offset : id === output)
    })
  }

  /** Keeps a texture from run to run if it is packed from a leaf that stays as it is, and by itself. */
  #keep(key: string, id: number, read: readonly number[]): boolean {
    const [from, ...others] = read.flatMap((b) => (b === id ? [] : this.#buffers.at(b) ?? []))
    if (from?.kind !== 'leaf' || others.length > 0 || this.#changing.has(from.index)) return false
    const leaf = this.#graph.leaves[from.index]
    if (!leaf || leaf.together || leaf.storage.whole || !this.#packs.keep(key, id, this.#buffers.bytes([id]))) return false
    this.#buffers.keep(id, from.index)
    const packing = this.#dispatches.pop()
    if (packing) this.#dispatches.push({ ...packing, packs: id })
    return true
  }

  #overwrite(op: Op, id: number, result: Value): number {
    if (this.#buffers.at(id)?.kind !== 'leaf') {
      throw new UnsupportedError(`${op.name}: expected to overwrite an evaluated tensor, got a computed one; evaluate it first`)
    }
    this.#overwritten.set(id, result)
    return id
  }

  /** Throws if a value's buffer already holds a later one. */
  #expectFresh(op: Op | undefined, value: Value): void {
    const { state } = value
    const holder = state.kind === 'buffer' ? this.#overwritten.get(state.id) : undefined
    if (holder && holder !== value) {
      throw new UnsupportedError(
        `${op?.name ?? 'evaluate'}: expected the value of a tensor before it was overwritten, which this graph has overwritten already; evaluate what reads the old value first`,
      )
    }
  }

  /** Which value each overwritten leaf holds by now. */
  readonly #overwritten = new Map<number, Value>()

  /** The buffer of an operand as kernels want it: contiguous from its first element. */
  #contiguous(seen: Seen): number {
    if (seen.value.state.kind !== 'scalar') this.#store(seen.value)
    const bindable = this.#bindable(seen)
    if (bindable !== undefined) return bindable
    return this.#store(this.#copies.of(seen, (x) => this.#copy(x)))
  }

  /** The buffer or part of one that holds what is seen of a stored value, in order and where a kernel can bind it. */
  #bindable({ value: { spec, state }, view }: Seen): number | undefined {
    if (state.kind !== 'buffer' || !isContiguous(view)) return undefined
    const offset = view.offset * byteSize(spec.dtype)
    const aligned = this.#buffers.at(state.id)?.kind === 'constant' ? offset === 0 : offset % bindingAlignment === 0
    return aligned ? this.#buffers.part(state.id, offset, bytesOf({ shape: view.shape, dtype: spec.dtype })) : undefined
  }

  /** A fresh contiguous value of what is seen. */
  #copy({ value, view }: Seen): Value {
    const spec: Spec = { shape: view.shape, dtype: value.spec.dtype }
    const scalarAt = value.state.kind === 'scalar' ? { index: value.state.index, dtype: spec.dtype } : undefined
    if (scalarAt === undefined) this.#store(value)
    const expression: Expression = scalarAt === undefined
      ? { steps: [], inputs: [{ value, view }], scalars: [], root: undefined }
      : { steps: [{ op: undefined, args: [{ kind: 'scalar', index: 0 }], dtype: spec.dtype }], inputs: [], scalars: [scalarAt], root: undefined }
    const copy: Value = { spec, uses: 1, wanted: false, state: { kind: 'expression', expression } }
    this.#emitExpression(copy, expression)
    return copy
  }

  #viewOfCopy(seen: Seen, op: Op, attrs: Readonly<Record<string, unknown>>): Seen {
    const value = this.#copies.of(seen, (x) => this.#copy(x))
    value.uses = Infinity
    return { value, view: op.view?.(whole(value.spec), attrs) ?? whole(value.spec) }
  }

  /** A buffer of its own for each result, unless it is an operand that was overwritten. */
  #output(seen: Seen): number {
    this.#expectFresh(undefined, seen.value)
    const id = seen.value.state.kind === 'scalar' ? -1 : this.#store(seen.value)
    const buffer = this.#buffers.at(id)
    if (this.#overwritten.has(id)) {
      // What overwrote a stored tensor shares its memory, that of the whole leaf or of the part that the tensor is.
      const part = inOrder(seen) ? id : this.#bindable(seen) ?? -1
      if (part === id || this.#tensors.has(part)) return part
    }
    if (buffer?.kind === 'made' && inOrder(seen) && !this.#claimed.has(id)) {
      this.#claimed.add(id)
      return id
    }
    return this.#store(this.#copy(seen))
  }

  readonly #claimed = new Set<number>()
}

function isElementwise(op: Op, output: Spec): boolean {
  return op.pointwise !== undefined || (op === cast && output.dtype !== 'bf16')
}
