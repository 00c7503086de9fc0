import {
  type Arg, broadcastView, type DType, type Fused, isContiguous, isFloat, type Op, packedForms, reshapedView, sameShape, sizeOf, type Spec, type Step, stridesOf, type View,
} from '@antipode/kernels-wgsl'
import type { Place } from './uses.ts'

/** A kernel op waiting to be emitted: later elementwise work may still become its epilogue. */
export interface PendingKernel {
  readonly op: Op
  readonly attrs: Readonly<Record<string, unknown>>
  readonly inputs: readonly Seen[]
  readonly values: readonly Value[]
  /** The expression that will carry this kernel as its root, once one has taken it in. */
  owner: Value | undefined
  emitted: boolean
}

/** A scalar of the graph by its index, as an expression of that dtype takes it. */
export interface ScalarSlot {
  readonly index: number
  readonly dtype: DType
}

/** An elementwise expression waiting to be emitted. */
export interface Expression {
  readonly steps: readonly Step[]
  readonly inputs: readonly Seen[]
  /** The graph's scalars in the order of the expression's slots. */
  readonly scalars: readonly ScalarSlot[]
  readonly root: PendingKernel | undefined
}

/** What is known of a value: a buffer by number, a scalar, or work not yet emitted. */
export type State =
  | { readonly kind: 'buffer'; readonly id: number }
  | { readonly kind: 'scalar'; readonly index: number }
  | { readonly kind: 'expression'; readonly expression: Expression }
  | { readonly kind: 'kernel'; readonly kernel: PendingKernel }

/** One value of a graph, contiguous wherever it is stored. */
export interface Value {
  readonly spec: Spec
  state: State
  /** How many operands read it, directly or through views; once it is packed, those for which it is not. */
  uses: number
  /** Whether the caller asked for it. */
  wanted: boolean
  /** Which of those that read it, of which there are several, take it packed: all, or the one that is yet to come first. */
  packedReaders?: 'all' | 'first' | undefined
  /** Where a later node would have it. */
  readonly place?: Place | undefined
}

/** A value as an operand reads it. */
export interface Seen {
  readonly value: Value
  readonly view: View
}

/** The view of a whole value. */
export function whole(spec: Spec): View {
  return { shape: spec.shape, strides: stridesOf(spec.shape), offset: 0 }
}

/** Whether the view reads all of its value in order, perhaps under another shape. */
export function inOrder({ value, view }: Seen): boolean {
  return view.offset === 0 && sizeOf(view.shape) === sizeOf(value.spec.shape) && isContiguous(view)
}

/** Whether its reader, or each in turn, may still take the value's work into its own. */
export function awaitsTaker({ uses, wanted, packedReaders }: Value): boolean {
  return (uses === 1 || packedReaders !== undefined) && !wanted
}

/** What a kernel op ends in: the value of the expression that took it in. */
export interface End {
  readonly value: Value
  readonly expression: Expression
}

/** The kernel op that a value is yet to come from, and may be packed by, for the one that reads it. */
export function giverOf(seen: Seen): { readonly kernel: PendingKernel; readonly end: End | undefined } | undefined {
  const { value, view } = seen
  const { state } = value
  const kernel = state.kind === 'kernel' ? state.kernel : state.kind === 'expression' ? state.expression.root : undefined
  if (!kernel || !packedForms(kernel.op)?.write || kernel.emitted || !awaitsTaker(value) || !inOrder(seen) || !sameShape(view.shape, kernel.values[0]?.spec.shape ?? [])) return undefined
  if (state.kind === 'expression') return { kernel, end: { value, expression: state.expression } }
  return kernel.values[0] === value && !kernel.owner ? { kernel, end: undefined } : undefined
}

/** Once a kernel has packed its first output for one operand, has that computed again for the next, if there is one. */
export function awaitNext({ op, attrs, inputs, values: [value, ...others] }: PendingKernel): void {
  if (!value) return
  value.uses--
  if (value.packedReaders === 'first') value.packedReaders = undefined
  const rematerialise = packedForms(op)?.rematerialise
  if (value.uses === 0 || !rematerialise) return
  const known = others.map((v): Seen => ({ value: v, view: whole(v.spec) }))
  value.state = { kind: 'kernel', kernel: { op: rematerialise, attrs, inputs: [...inputs, ...known], values: [value], owner: undefined, emitted: false } }
}

/** Storage buffers that every WebGPU adapter lets one kernel bind. */
const maxBuffers = 8
/** Operands of one fused kernel at most; more gain little. */
const maxInputs = 6
/** Longer expressions gain nothing and compile slowly. */
const maxSteps = 24

/** Operands that an expression may read beside what its root binds. */
function capacity(root: PendingKernel | undefined): number {
  return root ? Math.min(maxInputs, maxBuffers - root.inputs.length - root.values.length) : maxInputs
}

/** Whether work on this value may become the kernel's epilogue, which takes and gives a real number. */
export function mayEndIn(kernel: PendingKernel, value: Value, output: DType): boolean {
  return kernel.op.epilogue === true && kernel.values[0] === value && isFloat(value.spec.dtype) && isFloat(output)
}

/** Collects an elementwise node and the pending work that it alone reads into one expression over `shape`. */
export class ExpressionBuilder {
  readonly #shape: readonly number[]
  readonly #steps: Step[] = []
  readonly #inputs: Seen[] = []
  readonly #scalars: ScalarSlot[] = []
  #root: PendingKernel | undefined
  /** Values whose work moved into this expression. */
  readonly taken: Value[] = []

  readonly #output: DType

  constructor({ shape, dtype }: Spec) {
    this.#shape = shape
    this.#output = dtype
  }

  /** The argument that stands for an operand; undefined if its value has to be stored first. */
  argument(seen: Seen): Arg | undefined {
    const { value, view } = seen
    const { state } = value
    if (state.kind === 'scalar') return this.#scalar({ index: state.index, dtype: value.spec.dtype })
    if (state.kind === 'buffer') {
      const same = this.#inputs.findIndex((x) => x.value === value && x.view.offset === view.offset && sameShape(x.view.strides, this.#spread(view)))
      if (same >= 0) return { kind: 'input', index: same }
      if (this.#inputs.length >= capacity(this.#root)) return undefined
      return { kind: 'input', index: this.#inputs.push({ value, view: { ...view, shape: this.#shape, strides: this.#spread(view) } }) - 1 }
    }
    if (value.uses !== 1 || value.wanted || !inOrder(seen) || sizeOf(view.shape) !== sizeOf(this.#shape)) return undefined
    const arg = state.kind === 'kernel' ? this.#takeKernel(value, state.kernel) : this.#takeExpression(state.expression)
    if (arg) this.taken.push(value)
    return arg
  }

  push(step: Step): Arg {
    return { kind: 'step', index: this.#steps.push(step) - 1 }
  }

  finish(): Expression {
    return { steps: this.#steps, inputs: this.#inputs, scalars: this.#scalars, root: this.#root }
  }

  #spread(view: View): number[] {
    const lead = this.#shape.length - view.shape.length
    return broadcastView(view.shape, this.#shape).strides.map((s, i) => (s === 0 ? 0 : view.strides[i - lead] ?? 0))
  }

  #scalar(slot: ScalarSlot): Arg {
    const known = this.#scalars.findIndex((s) => s.index === slot.index)
    return { kind: 'scalar', index: known >= 0 ? known : this.#scalars.push(slot) - 1 }
  }

  #takeKernel(value: Value, kernel: PendingKernel): Arg | undefined {
    if (this.#root || kernel.emitted || !mayEndIn(kernel, value, this.#output) || this.#inputs.length > capacity(kernel)) return undefined
    this.#root = kernel
    return { kind: 'value' }
  }

  #takeExpression(e: Expression): Arg | undefined {
    if (e.root && (this.#root || !isFloat(this.#output)) || this.#steps.length + e.steps.length > maxSteps) return undefined
    if (this.#inputs.length + e.inputs.length > capacity(this.#root ?? e.root)) return undefined
    const inputs: Seen[] = []
    for (const x of e.inputs) {
      const view = reshapedView(x.view, this.#shape)
      if (!view) return undefined
      inputs.push({ value: x.value, view })
    }
    this.#root ??= e.root
    const inputAt = inputs.map((x) => this.argument(x))
    const scalarAt = e.scalars.map((s) => this.#scalar(s))
    const first = this.#steps.length
    const moved = (a: Arg): Arg =>
      a.kind === 'input' ? inputAt[a.index] as Arg
      : a.kind === 'scalar' ? scalarAt[a.index] as Arg
      : a.kind === 'step' ? { kind: 'step', index: first + a.index } : a
    for (const s of e.steps) this.#steps.push({ ...s, args: s.args.map(moved) })
    return { kind: 'step', index: this.#steps.length - 1 }
  }
}

/** An expression as kernels-wgsl wants it. */
export function fusedOf(e: Expression, output: Spec): Fused {
  return {
    inputs: e.inputs.map((x) => ({ dtype: x.value.spec.dtype, view: x.view })),
    scalars: e.scalars.map((s) => s.dtype),
    steps: e.steps,
    output,
  }
}
