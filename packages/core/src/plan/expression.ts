import {
  type Arg, at, broadcastView, isFloat, reshapedView, sameShape, sizeOf, type Spec, type Step, type View,
} from '@antipode/kernels-wgsl'
import { mayEndIn, type PendingExpression, type PendingKernel, type State } from './pending.ts'
import { inOrder, type Operand, type ValueId } from './resolved.ts'
import type { ScalarSlot } from './work.ts'

/** Storage buffers that every WebGPU adapter lets one kernel bind. */
const maxBuffers = 8
/** Operands of one fused kernel at most; more gain little. */
const maxInputs = 6
/** Longer expressions gain nothing and compile slowly. */
const maxSteps = 24

/** Operands that an expression may read beside what its root binds. */
function capacity(root: PendingKernel | undefined): number {
  return root ? Math.min(maxInputs, maxBuffers - root.inputs.length - root.outputs.length) : maxInputs
}

/** What a builder has to know of a value. */
export interface Known {
  readonly spec: Spec
  readonly state: State
  /** Whether one operand reads it and nobody asked for it: then its work may move into that operand's kernel. */
  readonly fusible: boolean
}

/** Collects an elementwise op and the pending work that it alone reads into one expression over a shape. */
export class ExpressionBuilder {
  readonly #output: Spec
  readonly #known: (value: ValueId) => Known
  readonly #steps: Step[] = []
  readonly #inputs: Operand[] = []
  readonly #scalars: ScalarSlot[] = []
  #root: PendingKernel | undefined
  /** Values whose work moved into this expression. */
  readonly taken: ValueId[] = []

  constructor(output: Spec, known: (value: ValueId) => Known) {
    this.#output = output
    this.#known = known
  }

  /** The argument that stands for an operand; undefined if its value has to be stored first. */
  argument({ value, view }: Operand): Arg | undefined {
    const { spec, state, fusible } = this.#known(value)
    if (state.kind === 'scalar') return this.#scalar({ index: state.index, dtype: spec.dtype })
    if (state.kind === 'stored') return this.#input(value, view)
    if (!fusible || !inOrder(view, spec) || sizeOf(view.shape) !== sizeOf(this.#output.shape)) return undefined
    const arg = state.kind === 'kernel'
      ? this.#takeKernel(value, spec, state.kernel) : this.#takeExpression(state.expression)
    if (arg) this.taken.push(value)
    return arg
  }

  push(step: Step): Arg {
    return { kind: 'step', index: this.#steps.push(step) - 1 }
  }

  finish(): PendingExpression {
    return { steps: this.#steps, inputs: this.#inputs, scalars: this.#scalars, root: this.#root }
  }

  #input(value: ValueId, view: View): Arg | undefined {
    const { shape } = this.#output
    const lead = shape.length - view.shape.length
    const strides = broadcastView(view.shape, shape).strides.map((s, i) => (s === 0 ? 0 : at(view.strides, i - lead)))
    const same = this.#inputs.findIndex((x) =>
      x.value === value && x.view.offset === view.offset && sameShape(x.view.strides, strides))
    if (same >= 0) return { kind: 'input', index: same }
    if (this.#inputs.length >= capacity(this.#root)) return undefined
    return { kind: 'input', index: this.#inputs.push({ value, view: { ...view, shape, strides } }) - 1 }
  }

  #scalar(slot: ScalarSlot): Arg {
    const known = this.#scalars.findIndex((s) => s.index === slot.index)
    return { kind: 'scalar', index: known >= 0 ? known : this.#scalars.push(slot) - 1 }
  }

  #takeKernel(value: ValueId, spec: Spec, kernel: PendingKernel): Arg | undefined {
    if (this.#root || kernel.emitted || !mayEndIn(kernel, value, spec, this.#output.dtype)) return undefined
    if (this.#inputs.length > capacity(kernel)) return undefined
    this.#root = kernel
    return { kind: 'value' }
  }

  #takeExpression(e: PendingExpression): Arg | undefined {
    if (e.root && (this.#root || !isFloat(this.#output.dtype))) return undefined
    if (this.#steps.length + e.steps.length > maxSteps) return undefined
    if (this.#inputs.length + e.inputs.length > capacity(this.#root ?? e.root)) return undefined
    const inputs: Operand[] = []
    for (const x of e.inputs) {
      const view = reshapedView(x.view, this.#output.shape)
      if (!view) return undefined
      inputs.push({ value: x.value, view })
    }
    this.#root ??= e.root
    const inputAt = inputs.map((x) => this.argument(x))
    const scalarAt = e.scalars.map((s) => this.#scalar(s))
    const first = this.#steps.length
    const moved = (a: Arg): Arg =>
      a.kind === 'input' ? at(inputAt, a.index) as Arg // there is room for all of them
      : a.kind === 'scalar' ? at(scalarAt, a.index)
      : a.kind === 'step' ? { kind: 'step', index: first + a.index } : a
    for (const s of e.steps) this.#steps.push({ ...s, args: s.args.map(moved) })
    return { kind: 'step', index: this.#steps.length - 1 }
  }
}
