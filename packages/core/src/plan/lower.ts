import {
  at, bindingAlignment, byteSize, fusedKernel, isContiguous, type Kernel, kernelFlops, lower as kernelsOf, type Spec,
  type Target, type View,
} from '@antipode/kernels-wgsl'
import { Copies } from './copies.ts'
import { withoutPacking } from './packing/index.ts'
import type { Operand, Resolved, Value, ValueId } from './resolved.ts'
import { copyOf, type Expression, fusedOf, type HandOver, type KernelWork, type Work } from './work.ts'

/** What kernels bind as an input: what a view of a value sees, in order from its first element, or the whole value. */
export interface Source {
  readonly value: ValueId
  readonly view: Operand['view'] | undefined
}

/** The kernels of some work, and the values that they bind. */
export interface Lowered {
  readonly kind: 'kernels'
  readonly kernels: readonly Kernel[]
  /** Of each kernel. */
  readonly flops: readonly number[]
  readonly inputs: readonly Source[]
  readonly extras: readonly ValueId[]
  readonly outputs: readonly ValueId[]
  /** The graph's scalars in the order of the kernels' words for them. */
  readonly scalars: readonly number[]
  /** The op, where this is more than an expression. */
  readonly work: KernelWork | undefined
  /** An operand that comes in a texture. */
  readonly handOver: HandOver | undefined
}

/** A value that lies where another does: it would be copied from what has been copied already. */
export interface Same {
  readonly kind: 'same'
  readonly value: ValueId
  readonly as: ValueId
}

/** Values and their kernels, in order. */
export interface LoweredGraph {
  /** Those of the graph, and copies. */
  readonly values: readonly Pick<Value, 'spec' | 'source' | 'place'>[]
  readonly list: readonly (Lowered | Same | { readonly kind: 'result'; readonly operand: Operand })[]
}

/** The third pass: chooses kernels of the target, and copies operands that kernels cannot bind where they lie. */
export function lower(work: readonly Work[], resolved: Resolved, target: Target): LoweredGraph {
  return new Lowering(resolved, target).run(work)
}

/** Whether kernels can bind what an operand sees of a value that lies in a buffer. */
export function isBindable({ view }: Operand, { spec, source }: Pick<Value, 'spec' | 'source'>): boolean {
  if (source.kind === 'scalar' || !isContiguous(view)) return false
  return source.kind === 'constant' ? view.offset === 0 : view.offset * byteSize(spec.dtype) % bindingAlignment === 0
}

/** A contiguous copy of what a view sees of a value. */
export function copiedValue({ shape }: View, { dtype }: Spec): LoweredGraph['values'][number] {
  return { spec: { shape, dtype }, source: { kind: 'computed' }, place: undefined }
}

/** A value as a kernel binds all of it. */
function wholly(value: ValueId): Source {
  return { value, view: undefined }
}

/** The kernel of an expression that stands alone. */
export function lowerExpression(
  expression: Expression, output: ValueId, specOf: (value: ValueId) => Spec, target: Target,
): Lowered {
  return {
    kind: 'kernels',
    kernels: [fusedKernel(fusedOf(expression, specOf, specOf(output)), target)],
    flops: [0],
    inputs: expression.inputs.map(({ value }) => wholly(value)),
    extras: [],
    outputs: [output],
    scalars: expression.scalars.map((s) => s.index),
    work: undefined,
    handOver: undefined,
  }
}

class Lowering {
  readonly #target: Target
  readonly #values: Pick<Value, 'spec' | 'source' | 'place'>[]
  readonly #list: LoweredGraph['list'][number][] = []
  readonly #specOf = (value: ValueId): Spec => at(this.#values, value).spec
  readonly #copies = new Copies()

  constructor({ values }: Resolved, target: Target) {
    this.#values = [...values]
    this.#target = target
  }

  run(work: readonly Work[]): LoweredGraph {
    for (const w of work) {
      if (w.kind === 'result') this.#list.push(w)
      else if (w.kind === 'kernel') this.#kernel(w)
      else this.#elementwise(w.expression, w.output)
    }
    return { values: this.#values, list: this.#list }
  }

  #elementwise(expression: Expression, output: ValueId): void {
    const [input] = expression.inputs
    if (expression.steps.length === 0 && input) {
      const as = this.#copies.of(input)
      if (as !== undefined) {
        this.#list.push({ kind: 'same', value: output, as })
        return
      }
      this.#copies.add(input, output)
    }
    this.#list.push(lowerExpression(expression, output, this.#specOf, this.#target))
  }

  #kernel(work: KernelWork): void {
    const { op, problem, inputs, outputs, epilogue, handOver } = work
    const all = work.kernels ?? kernelsOf(op, problem, this.#target)
    const kernels = handOver ? withoutPacking(all, handOver.texture) : all
    const bound = inputs.map((x, k) => (k === handOver?.operand ? wholly(x.value) : this.#contiguous(x)))
    this.#list.push({
      kind: 'kernels',
      kernels,
      flops: kernelFlops(op, problem, kernels),
      inputs: bound,
      extras: epilogue?.expression.inputs.map((x) => x.value) ?? [],
      outputs: epilogue ? [epilogue.output, ...outputs.slice(1)] : outputs,
      scalars: epilogue?.expression.scalars.map((s) => s.index) ?? [],
      work,
      handOver,
    })
    // What was copied may have been overwritten.
    if (op.inplace) this.#copies.clear()
  }

  /** An operand as kernels want it: contiguous from its first element. */
  #contiguous(input: Operand): Source {
    const { spec, source } = at(this.#values, input.value)
    if (isBindable(input, { spec, source })) return input
    const known = this.#copies.of(input)
    const copy = known ?? this.#values.push(copiedValue(input.view, spec)) - 1
    if (known === undefined) {
      this.#list.push(lowerExpression(copyOf(input, spec, source), copy, this.#specOf, this.#target))
      this.#copies.add(input, copy)
    }
    return wholly(copy)
  }
}
