import { type Attrs, isContiguous, type Op, sizeOf, type Spec, stridesOf, type View } from '@antipode/kernels-wgsl'

/** Number of a value among those of a plan. */
export type ValueId = number

/** A value as an operand reads it. */
export interface Operand {
  readonly value: ValueId
  readonly view: View
}

/** Where a value is to be computed: from an element on in the result of a later op, which puts it there as it is. */
export interface Place {
  /** The node of that op. */
  readonly node: number
  /** Of that result. */
  readonly spec: Spec
  readonly start: number
}

/**
 * Who reads a value itself, not a view of it: an operand of a step, and how many operands had read the value before.
 */
export interface Reader {
  readonly op: Op
  readonly attrs: Attrs
  readonly inputs: readonly Spec[]
  readonly outputs: readonly Spec[]
  readonly operand: number
  readonly before: number
}

/** Where a value comes from. */
export type ValueSource =
  | { readonly kind: 'leaf' | 'constant' | 'scalar'; readonly index: number }
  | { readonly kind: 'computed' }

/** One value of a graph. */
export interface Value {
  readonly spec: Spec
  readonly source: ValueSource
  /** How many operands read it, directly or through views. */
  readonly uses: number
  /** Whether the caller asked for it. */
  readonly wanted: boolean
  readonly readers: readonly Reader[]
  readonly place: Place | undefined
}

/** An op that computes something. */
export interface ComputeStep {
  readonly kind: 'compute'
  readonly op: Op
  readonly attrs: Attrs
  readonly inputs: readonly Operand[]
  readonly outputs: readonly ValueId[]
  /** The leaf that each output overwrites. */
  readonly overwrites: readonly (number | undefined)[]
}

/** What a graph does, views resolved. */
export type Step =
  | ComputeStep
  /** A contiguous copy of what a view sees, where no strides can express the next view. */
  | { readonly kind: 'copy'; readonly input: Operand; readonly output: ValueId }
  /** What comes after must not begin before this value is computed. */
  | { readonly kind: 'wait'; readonly value: ValueId }

/** A graph of values by number, in which operands carry the views that ops made of them. */
export interface Resolved {
  readonly values: readonly Value[]
  readonly steps: readonly Step[]
  readonly outputs: readonly Operand[]
  /** Parts of leaves that are the values of tensors. */
  readonly leafParts: readonly Operand[]
  /** The leaves that are overwritten, by number. */
  readonly overwritten: readonly number[]
}

/** The view of a whole value. */
export function whole(spec: Spec): View {
  return { shape: spec.shape, strides: stridesOf(spec.shape), offset: 0 }
}

/** Whether a view reads all of a value in order, perhaps under another shape. */
export function inOrder(view: View, { shape }: Spec): boolean {
  return view.offset === 0 && sizeOf(view.shape) === sizeOf(shape) && isContiguous(view)
}
