import {
  type Arg, at, fusedEpilogue, type Op, type PackedLayout, type Problem, sameShape, type Spec, type Target,
} from '@antipode/kernels-wgsl'
import { ExpressionBuilder, type Known } from './expression.ts'
import { type PackedReaders, Packing } from './packing/index.ts'
import { mayEndIn, type PendingExpression, type PendingKernel, pendingKernel, type State } from './pending.ts'
import { type ComputeStep, inOrder, type Operand, type Reader, type Resolved, type ValueId, whole } from './resolved.ts'
import { copyOf, type Epilogue, fusedOf, type HandOver, type KernelWork, type Work } from './work.ts'

/**
 * The second pass: makes elementwise ops one expression with the ops around them, in a kernel of its own or in the
 * epilogue of the kernel that computes what it reads, and puts the work in order: as late as what reads it allows where
 * it may still be fused, at once otherwise.
 */
export function fuse(resolved: Resolved, target: Target): readonly Work[] {
  return new Fuser(resolved, target).run()
}

/** Work that may be handed over to its only reader. */
interface Producer {
  readonly kernel: PendingKernel
  readonly epilogue: Epilogue | undefined
}

class Fuser {
  readonly #resolved: Resolved
  readonly #packing: Packing
  readonly #work: Work[] = []
  readonly #states: State[]
  /** Values yet to be computed that something reads, in the order in which they were met. */
  readonly #pending = new Set<ValueId>()
  /** How many operands are yet to read a value of which some take it packed, and which of them do. */
  readonly #uses: number[]
  readonly #packedReaders: (PackedReaders | undefined)[]

  constructor(resolved: Resolved, target: Target) {
    this.#resolved = resolved
    this.#packing = new Packing(target)
    this.#states = resolved.values.map(({ source }): State =>
      (source.kind === 'scalar' ? { kind: 'scalar', index: source.index } : { kind: 'stored' }))
    this.#uses = resolved.values.map((v) => v.uses)
    this.#packedReaders = resolved.values.map(() => undefined)
  }

  run(): Work[] {
    for (const step of this.#resolved.steps) {
      if (step.kind === 'wait') this.#wait(step.value)
      else if (step.kind === 'copy') this.#copy(step.input, step.output)
      else if (isElementwise(step.op, this.#spec(at(step.outputs, 0)))) this.#elementwise(step)
      else this.#kernel(step)
    }
    for (const operand of this.#resolved.outputs) {
      this.#store(operand.value)
      this.#work.push({ kind: 'result', operand })
    }
    return this.#work
  }

  /** What is computed again begins here: sums of gradients that wait for more to add would keep what they are made of. */
  #wait(value: ValueId): void {
    this.#store(value)
    this.#storeAll()
  }

  #copy(input: Operand, output: ValueId): void {
    this.#store(input.value)
    const { spec, source } = at(this.#resolved.values, input.value)
    this.#work.push({ kind: 'elementwise', expression: copyOf(input, spec, source), output })
  }

  #elementwise({ op, inputs, outputs }: ComputeStep): void {
    const output = at(outputs, 0)
    const expression = this.#fused(op, inputs, this.#spec(output))
    this.#states[output] = { kind: 'expression', expression }
    if (expression.root) expression.root.owner = output
    this.#await(output)
    if (!this.#mayFuseIntoReader(output)) this.#store(output)
  }

  #fused(op: Op, inputs: readonly Operand[], output: Spec): PendingExpression {
    const builder = new ExpressionBuilder(output, (value) => this.#known(value))
    const args = inputs.map((operand): Arg | undefined => {
      const arg = builder.argument(operand)
      if (arg) return arg
      this.#store(operand.value)
      return builder.argument(operand)
    })
    const expression = builder.finish()
    // Storing one operand may have emitted what another had taken in, and a full builder takes no more: then every
    // operand is stored on its own, and the op reads buffers only.
    if (args.includes(undefined) || expression.root?.emitted) {
      for (const { value } of inputs) this.#store(value)
      return this.#fused(op, inputs, output)
    }
    for (const value of builder.taken) this.#pending.delete(value)
    builder.push({ op: op.pointwise ? op : undefined, args: args.filter((a) => a !== undefined), dtype: output.dtype })
    return expression
  }

  #kernel({ op, attrs, inputs, outputs, overwrites }: ComputeStep): void {
    const packed = this.#packing.packedOperand(op)
    for (const [k, operand] of inputs.entries()) {
      // Nothing but what is packed can be taken into a kernel's operand, so it is computed now: a long chain must not
      // pile up.
      if (k !== packed || !this.#producerOf(operand)) this.#store(operand.value)
    }
    if (op.inplace) this.#storeAll()
    const kernel = pendingKernel({ op, attrs, inputs, outputs, overwrites })
    outputs.forEach((value, k) => {
      this.#states[value] = { kind: 'kernel', kernel }
      if (k === 0) this.#packedReaders[value] = this.#packing.readersOf(op, at(this.#resolved.values, value))
      this.#await(value)
    })
    const [first] = outputs
    const waits = !op.inplace && first !== undefined && this.#mayFuseIntoReader(first)
    const mayTake = waits && mayEndIn(kernel, first, this.#spec(first), this.#spec(first).dtype)
    if (!mayTake) this.#emitKernel(kernel, undefined)
  }

  #await(value: ValueId): void {
    const { uses, wanted } = at(this.#resolved.values, value)
    if (uses > 0 || wanted) this.#pending.add(value)
  }

  /** Computes all that is pending, so that it reads operands before they are overwritten or given up. */
  #storeAll(): void {
    for (const value of this.#pending) this.#store(value)
    this.#pending.clear()
  }

  /** Makes sure that a value is computed before what comes next; numbers need no computing. */
  #store(value: ValueId): void {
    const state = at(this.#states, value)
    if (state.kind === 'stored' || state.kind === 'scalar') return
    if (state.kind === 'expression') this.#emitExpression(value, state.expression)
    else if (state.kernel.owner !== undefined) this.#store(state.kernel.owner)
    else this.#emitKernel(state.kernel, undefined)
    this.#store(value)
  }

  #emitExpression(output: ValueId, expression: PendingExpression): void {
    if (expression.root && !expression.root.emitted) {
      this.#emitKernel(expression.root, { output, expression })
      return
    }
    for (const { value } of expression.inputs) this.#store(value)
    this.#states[output] = { kind: 'stored' }
    this.#work.push({ kind: 'elementwise', expression, output })
  }

  /**
   * Emits a kernel op. With a layout its first output is packed so: undefined if that cannot be, and then nothing was
   * done.
   */
  #emitKernel(pending: PendingKernel, epilogue: Epilogue | undefined, layout?: PackedLayout): KernelWork | undefined {
    const { op, attrs, inputs, outputs, overwrites } = pending
    const problem = this.#problemOf(pending, epilogue)
    const k = this.#packing.packedOperand(op) ?? -1
    const operand = inputs[k]
    const producer = operand && this.#producerOf(operand)
    const kernels = layout ? this.#packing.packedKernels(op, problem, layout)
      : producer && this.#packing.kernels(op, problem)
    if (layout && !kernels) return undefined
    const wanted = producer && kernels && this.#packing.inputLayout(kernels)
    const from = wanted && this.#emitKernel(producer.kernel, producer.epilogue, wanted)
    const handOver: HandOver | undefined = from && { operand: k, texture: wanted.texture, from }
    inputs.forEach(({ value }, i) => { if (i !== handOver?.operand) this.#store(value) })
    const packedOutput = layout?.texture
    const work: KernelWork =
      { kind: 'kernel', op, attrs, inputs, outputs, overwrites, epilogue, problem, kernels, packedOutput, handOver }
    this.#work.push(work)
    pending.emitted = true
    for (const value of outputs) this.#states[value] = { kind: 'stored' }
    if (epilogue) this.#states[epilogue.output] = { kind: 'stored' }
    else if (layout) this.#awaitNext(pending)
    return work
  }

  #problemOf({ inputs, outputs, attrs }: PendingKernel, epilogue: Epilogue | undefined): Problem {
    const fused = epilogue && fusedOf(epilogue.expression, (value) => this.#spec(value), this.#spec(epilogue.output))
    return {
      inputs: inputs.map(({ value, view }) => ({ shape: view.shape, dtype: this.#spec(value).dtype })),
      outputs: outputs.map((value) => this.#spec(value)),
      attrs,
      ...(fused ? { epilogue: fusedEpilogue(fused) } : {}),
    }
  }

  /** The kernel op that a value is yet to come from, and may be packed by, for the operand that reads it. */
  #producerOf({ value, view }: Operand): Producer | undefined {
    const state = at(this.#states, value)
    const kernel = state.kind === 'kernel' ? state.kernel
      : state.kind === 'expression' ? state.expression.root : undefined
    if (!kernel || kernel.emitted || !this.#packing.packs(kernel.op)) return undefined
    if (!this.#mayFuseIntoReader(value)) return undefined
    const packed = this.#spec(at(kernel.outputs, 0))
    if (!inOrder(view, this.#spec(value)) || !sameShape(view.shape, packed.shape)) return undefined
    if (state.kind === 'expression') return { kernel, epilogue: { output: value, expression: state.expression } }
    return kernel.outputs[0] === value && kernel.owner === undefined ? { kernel, epilogue: undefined } : undefined
  }

  /**
   * Once a kernel has packed its first output for one operand, has that computed again for the next, if there is one.
   */
  #awaitNext({ op, attrs, inputs, outputs: [value, ...others] }: PendingKernel): void {
    if (value === undefined) return
    const left = at(this.#uses, value) - 1
    this.#uses[value] = left
    if (this.#packedReaders[value] === 'first') this.#packedReaders[value] = undefined
    const again = this.#packing.rematerialised(op)
    if (left === 0 || !again) return
    const known = others.map((v): Operand => ({ value: v, view: whole(this.#spec(v)) }))
    const made = { op: again, attrs, inputs: [...inputs, ...known], outputs: [value], overwrites: [undefined] }
    this.#states[value] = { kind: 'kernel', kernel: pendingKernel(made) }
  }

  /** Whether the reader of a value, or each in turn, may still take its work into its own. */
  #mayFuseIntoReader(value: ValueId): boolean {
    const { wanted, readers } = at(this.#resolved.values, value)
    if (wanted) return false
    if (this.#packedReaders[value] !== undefined) return true
    const [reader] = readers
    return at(this.#uses, value) === 1 && (reader === undefined || this.#mayTakeIn(reader))
  }

  /**
   * Whether a reader may take work in: as a step of its expression, or packed. One that may not, such as a join, would
   * only keep waiting, and in memory, what the work reads.
   */
  #mayTakeIn({ op, outputs: [output], operand }: Reader): boolean {
    return (output !== undefined && isElementwise(op, output)) || this.#packing.packedOperand(op) === operand
  }

  #known(value: ValueId): Known {
    const { spec, wanted } = at(this.#resolved.values, value)
    return { spec, state: at(this.#states, value), fusible: at(this.#uses, value) === 1 && !wanted }
  }

  #spec(value: ValueId): Spec {
    return at(this.#resolved.values, value).spec
  }
}

/** Whether an op is fused as a step of an expression. */
function isElementwise(op: Op, { dtype }: Spec): boolean {
  return op.pointwise !== undefined || op.convertsTo?.includes(dtype) === true
}
