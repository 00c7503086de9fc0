import { after, type Binding, byteSize, fusedEpilogue, fusedKernel, isContiguous, type Kernel, kernelFlops, type Op, type Problem, sizeOf, type Spec, type Target } from '@antipode/kernels-wgsl'
import { UnsupportedError } from '../errors.ts'
import { ExpressionBuilder, fusedOf, inOrder, mayEndIn, type Expression, type PendingKernel, type Seen, type Value, whole } from './value.ts'
import { textureBytes } from './memory.ts'
import { Packs } from './packs.ts'
import type { Graph, ValueRef } from './walk.ts'

/** A buffer of a plan: something that exists before it runs, or that it makes. */
export type PlanBuffer =
  | { readonly kind: 'leaf'; readonly index: number; readonly bytes: number }
  | { readonly kind: 'constant'; readonly index: number; readonly bytes: number }
  | { readonly kind: 'made'; readonly bytes: number }
  | { readonly kind: 'texture'; readonly rows: number; readonly bytes: number }

/** One dispatch, its storage buffers by number in binding order, and which graph scalars fill its scalar words. */
export interface Dispatch {
  readonly kernel: Kernel
  readonly buffers: readonly number[]
  readonly scalars: readonly number[]
  /** Floating-point operations of its product, convolution or attention; 0 for other kernels. See {@link kernelFlops}. */
  readonly flops: number
  /** Bytes of the buffers and textures it binds, each counted once and whole, its parameters aside. */
  readonly bytes: number
}

/** The work of a graph before memory is assigned. */
export interface Program {
  readonly buffers: readonly PlanBuffer[]
  readonly dispatches: readonly Dispatch[]
  /** Buffer of each output of the graph, in order. */
  readonly outputs: readonly number[]
}

/** Turns a graph into dispatches: resolves views, fuses elementwise chains, and lowers ops to kernels of the target. */
export function build(graph: Graph, target: Target): Program {
  return new Builder(graph, target).run()
}

class Builder {
  readonly #graph: Graph
  readonly #target: Target
  readonly #buffers: PlanBuffer[] = []
  readonly #dispatches: Dispatch[] = []
  readonly #seen = new Map<string, Seen>()
  readonly #pending = new Set<Value>()
  readonly #external = new Map<string, number>()
  readonly #packs = new Packs()

  constructor(graph: Graph, target: Target) {
    this.#graph = graph
    this.#target = target
  }

  run(): Program {
    const { nodes, outputs } = this.#graph
    const uses = countUses(this.#graph)
    for (const [index, { node, inputs }] of nodes.entries()) {
      const operands = inputs.map((r) => this.#resolve(r))
      const useOf = (k: number): Pick<Value, 'uses' | 'wanted'> => uses.get(`${index}.${k}`) ?? { uses: 0, wanted: false }
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
        for (const { value } of operands) {
          this.#expectFresh(node.op, value)
          // Nothing can be taken into a kernel's operand, so it is computed now: a long chain must not pile up.
          if (value.state.kind !== 'scalar') this.#store(value)
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
        if (node.op.inplace || !value || !awaitsTaker(value) || !mayEndIn(kernel, value, value.spec.dtype)) this.#emitKernel(kernel, undefined)
      }
    }
    const ids = outputs.map((r) => this.#output(this.#resolve(r)))
    return { buffers: this.#buffers, dispatches: this.#dispatches, outputs: ids }
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
    if (known || ref.kind === 'output') return known as Seen
    const spec: Spec = ref.kind === 'leaf' ? (this.#graph.leaves[ref.index]?.tensor as Spec)
      : ref.kind === 'constant' ? (this.#graph.constants[ref.index] as Spec) : { shape: [], dtype: this.#graph.scalarTypes[ref.index] ?? 'f32' }
    const value: Value = {
      spec: { shape: spec.shape, dtype: spec.dtype }, uses: Infinity, wanted: false,
      state: ref.kind === 'scalar' ? { kind: 'scalar', index: ref.index } : { kind: 'buffer', id: this.#externalBuffer(ref.kind, ref.index, bytesOf(spec)) },
    }
    const seen = { value, view: whole(spec) }
    this.#seen.set(key, seen)
    return seen
  }

  #externalBuffer(kind: 'leaf' | 'constant', index: number, bytes: number): number {
    const key = `${kind}${index}`
    const id = this.#external.get(key) ?? this.#buffers.push({ kind, index, bytes }) - 1
    this.#external.set(key, id)
    return id
  }

  #make(spec: Spec): number {
    return this.#buffers.push({ kind: 'made', bytes: bytesOf(spec) }) - 1
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
    const id = this.#make(value.spec)
    value.state = { kind: 'buffer', id }
    const kernel = fusedKernel(fusedOf(e, value.spec), this.#target)
    this.#dispatch(kernel, kernel.bindings.map((b) => (b.kind === 'output' ? id : inputs[b.index] as number)), e.scalars, 0)
  }

  #dispatch(kernel: Kernel, buffers: readonly number[], scalars: Expression['scalars'], flops: number): void {
    const bytes = [...new Set(buffers)].reduce((sum, id) => sum + (this.#buffers[id]?.bytes ?? 0), 0)
    this.#dispatches.push({ kernel, buffers, scalars: kernel.scalarWord === undefined ? [] : scalars.map((s) => s.index), flops, bytes })
  }

  #emitKernel(pending: PendingKernel, end: { readonly value: Value; readonly expression: Expression } | undefined): void {
    const { op, attrs, values } = pending
    const inputs = pending.inputs.map((x) => this.#contiguous(x))
    // A kernel must not read a buffer that it overwrites under another name: such an operand is copied.
    const overwritten = new Set(op.inplace?.flatMap((k) => k ?? []))
    pending.inputs.forEach((x, k) => {
      if (!overwritten.has(k) && [...overwritten].some((o) => inputs[o] === inputs[k])) inputs[k] = this.#store(this.#copy(x))
    })
    const extras = end?.expression.inputs.map((x) => this.#store(x.value)) ?? []
    const outputs = values.map((v, k) => {
      const shared = op.inplace?.[k]
      if (shared !== undefined) return this.#overwrite(op, inputs[shared] as number, v)
      return this.#make(k === 0 && end ? end.value.spec : v.spec)
    })
    pending.emitted = true
    values.forEach((v, k) => { v.state = { kind: 'buffer', id: outputs[k] as number } })
    if (end) end.value.state = { kind: 'buffer', id: outputs[0] as number }
    const problem: Problem = {
      inputs: pending.inputs.map((x) => ({ shape: x.view.shape, dtype: x.value.spec.dtype })),
      outputs: values.map((v) => v.spec),
      attrs,
      ...(end ? { epilogue: fusedEpilogue(fusedOf(end.expression, end.value.spec)) } : {}),
    }
    const kernels = op.kernels?.(problem, this.#target) ?? []
    const flops = kernelFlops(op, problem, kernels)
    const scratch = new Map<string, number>()
    for (const [k, kernel] of kernels.entries()) {
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
        const id = scratch.get(key) ?? this.#buffers.push(scratchOf(b)) - 1
        scratch.set(key, id)
        return id
      })
      this.#dispatch(kernel, buffers, end?.expression.scalars ?? [], flops[k] ?? 0)
      const made = pack && scratch.get(`texture${pack.index}`)
      if (pack && made !== undefined) this.#packs.set(pack.key, made)
    }
    if (op.inplace) this.#packs.clear()
  }

  #overwrite(op: Op, id: number, result: Value): number {
    if (this.#buffers[id]?.kind !== 'leaf') {
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
    const { value, view } = seen
    const stored = value.state.kind === 'scalar' ? undefined : this.#store(value)
    return stored !== undefined && view.offset === 0 && isContiguous(view) ? stored : this.#store(this.#copy(seen))
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
    const value = this.#copy(seen)
    value.uses = Infinity
    return { value, view: op.view?.(whole(value.spec), attrs) ?? whole(value.spec) }
  }

  /** A buffer of its own for each result, unless it is an operand that was overwritten. */
  #output(seen: Seen): number {
    this.#expectFresh(undefined, seen.value)
    const id = seen.value.state.kind === 'scalar' ? -1 : this.#store(seen.value)
    const buffer = this.#buffers[id]
    if (this.#overwritten.has(id) && inOrder(seen)) return id
    if (buffer?.kind === 'made' && inOrder(seen) && !this.#claimed.has(id)) {
      this.#claimed.add(id)
      return id
    }
    return this.#store(this.#copy(seen))
  }

  readonly #claimed = new Set<number>()
}

/** Whether a single reader may still take the value's work into its own. */
function awaitsTaker({ uses, wanted }: Value): boolean {
  return uses === 1 && !wanted
}

function isElementwise(op: Op, output: Spec): boolean {
  return op.pointwise !== undefined || (op.name === 'cast' && output.dtype !== 'bf16')
}

/** What lives for one op, or as long as a later one packs the same. */
function scratchOf(b: Extract<Binding, { readonly kind: 'scratch' | 'texture' }>): PlanBuffer {
  return b.kind === 'scratch' ? { kind: 'made', bytes: b.byteLength } : { kind: 'texture', rows: b.rows, bytes: textureBytes(b.rows) }
}

function bytesOf(spec: Spec): number {
  return sizeOf(spec.shape) * byteSize(spec.dtype)
}

/** Readers of every node output, views counted as their viewers' readers. */
function countUses(graph: Graph): Map<string, { uses: number; wanted: boolean }> {
  const counts = new Map<string, { uses: number; wanted: boolean }>()
  const origin = new Map<string, ValueRef>()
  const base = (r: ValueRef): ValueRef => (r.kind === 'output' ? origin.get(`${r.node}.${r.index}`) ?? r : r)
  const count = (r: ValueRef): { uses: number; wanted: boolean } => {
    const b = base(r)
    const key = b.kind === 'output' ? `${b.node}.${b.index}` : ''
    const entry = counts.get(key) ?? { uses: 0, wanted: false }
    counts.set(key, entry)
    return entry
  }
  graph.nodes.forEach(({ node, inputs }, i) => {
    const [first] = inputs
    if (node.op.view && first) {
      origin.set(`${i}.0`, base(first))
      return
    }
    for (const r of inputs) count(r).uses++
  })
  for (const r of graph.outputs) count(r).wanted = true
  return counts
}
