import { at, byteSize, entry, type Target } from '@antipode/kernels-wgsl'
import { Buffers } from './buffers.ts'
import { copiedValue, isBindable, type Lowered, lowerExpression, type LoweredGraph, type Source } from './lower.ts'
import type { Dispatch, Program } from './program.ts'
import { inOrder, type Operand, type Resolved, type ValueId, whole } from './resolved.ts'
import { bytesOf } from './sizes.ts'
import { copyOf, type KernelWork } from './work.ts'

/** Sentinel: the value exists only as a texture. */
const onlyTexture = -1

/**
 * The fourth pass: says in which buffer every value lies. What is overwritten keeps its leaf's buffer, what a later op
 * lays out is computed in its place there, and copies keep apart what one kernel may not read and write.
 */
export function alias(lowered: LoweredGraph, resolved: Resolved, target: Target): Program {
  return new Aliasing(lowered, resolved, target).run(lowered.list)
}

/**
 * The buffers of some work's operands by their roles, and which inputs an op that lays them out finds in their places.
 */
interface BoundOperands {
  readonly inputs: readonly number[]
  readonly extras: readonly number[]
  readonly outputs: readonly number[]
  readonly inPlace: readonly boolean[]
}

class Aliasing {
  readonly #target: Target
  readonly #values: LoweredGraph['values'][number][]
  readonly #buffers = new Buffers()
  readonly #dispatches: Dispatch[] = []
  readonly #bufferOf = new Map<ValueId, number>()
  /** What each texture handed over is, by the work that writes it. */
  readonly #textures = new Map<KernelWork, number>()
  readonly #leafParts: Resolved['leafParts']
  #partsOfLeaves: ReadonlySet<number> | undefined
  readonly #overwritten: Resolved['overwritten']
  /** Buffers that are overwritten leaves. */
  readonly #written = new Set<number>()
  /** Buffers that are results already. */
  readonly #claimed = new Set<number>()

  constructor({ values }: LoweredGraph, { leafParts, overwritten }: Resolved, target: Target) {
    this.#values = [...values]
    this.#leafParts = leafParts
    this.#overwritten = overwritten
    this.#target = target
  }

  run(list: LoweredGraph['list']): Program {
    const outputs: number[] = []
    for (const one of list) {
      if (one.kind === 'result') outputs.push(this.#result(one.operand))
      else if (one.kind === 'same') this.#place(one.value, this.#buffer(one.as))
      else this.#kernels(one)
    }
    return { buffers: this.#buffers.list, dispatches: this.#dispatches, outputs, overwritten: this.#overwritten }
  }

  #kernels(lowered: Lowered): void {
    const { inputs: sources, extras: extraValues, outputs: values, work, handOver } = lowered
    const inputs = sources.map((s, k) => (k === handOver?.operand ? onlyTexture : this.#bind(s)))
    const overwrites = work?.overwrites ?? []
    const overwritten = new Set(work?.op.inplace?.flatMap((k) => k ?? []))
    // A kernel must not read a buffer that it overwrites under another name: such an operand is copied.
    sources.forEach((s, k) => {
      const shares = [...overwritten].some((o) => this.#sameWhole(at(inputs, o), at(inputs, k)))
      if (shares && !overwritten.has(k)) inputs[k] = this.#copy(this.#operand(s))
    })
    const extras = extraValues.map((v) => this.#buffer(v))
    const starts = work?.op.offsetsInOutput?.(work.problem.inputs, work.attrs)
    // An op that lays out its inputs reads what lies in its result only where that is in its place: then not at all.
    const read = starts ? [] : [...inputs, ...extras].filter((id) => id !== onlyTexture)
    const outputs = values.map((value, k) => {
      const leaf = overwrites[k]
      if (leaf !== undefined) return this.#overwrite(value, leaf)
      if (k === 0 && work?.packedOutput !== undefined) return onlyTexture
      const { spec, place } = at(this.#values, value)
      return this.#place(value, this.#buffers.make(spec, place, read))
    })
    if (work) outputs.forEach((id, k) => { this.#place(at(work.outputs, k), id) })
    const inPlace = inputs.map((id, k) =>
      starts !== undefined && this.#liesAt(id, outputs, at(starts, k), at(values, 0)))
    sources.forEach((s, k) => {
      // What lies elsewhere in the result, as a tensor does that is in it twice, cannot be read while that is written.
      const shares = starts && this.#sameWhole(at(inputs, k), at(outputs, 0))
      if (shares && !inPlace[k]) inputs[k] = this.#copy(this.#operand(s))
    })
    this.#dispatchAll(lowered, { inputs, extras, outputs, inPlace })
  }

  #dispatchAll(
    { kernels, flops, scalars, work, handOver }: Lowered,
    { inputs, extras, outputs, inPlace }: BoundOperands,
  ): void {
    const scratch = new Map<string, number>()
    if (handOver) scratch.set(`texture${handOver.texture}`, entry(this.#textures, handOver.from))
    const overwrites = work?.overwrites.some((leaf) => leaf !== undefined) ?? false
    for (const [k, kernel] of kernels.entries()) {
      if (kernel.bindings.some((b) => b.kind === 'input' && inPlace[b.index])) continue
      const buffers = kernel.bindings.map((b) => {
        if (b.kind === 'input') return at(inputs, b.index)
        if (b.kind === 'output') return at(outputs, b.index)
        if (b.kind === 'extra') return at(extras, b.index)
        const key = `${b.kind}${b.index}`
        const id = scratch.get(key) ?? this.#buffers.scratch(b)
        scratch.set(key, id)
        return id
      })
      const bound = kernel.scalarWord === undefined ? [] : scalars
      const bytes = this.#buffers.bytes(buffers)
      this.#dispatches.push({ kernel, buffers, scalars: bound, flops: at(flops, k), bytes, overwrites })
    }
    if (work?.packedOutput !== undefined) this.#textures.set(work, entry(scratch, `texture${work.packedOutput}`))
  }

  /** Whether an input lies in an output where the op lays it out. */
  #liesAt(id: number, [output]: readonly number[], start: number, value: ValueId): boolean {
    const buffer = this.#buffers.at(id)
    const offset = start * byteSize(at(this.#values, value).spec.dtype)
    return buffer.kind === 'part' ? buffer.of === output && buffer.offset === offset : id === output
  }

  #sameWhole(a: number, b: number): boolean {
    return a !== onlyTexture && b !== onlyTexture && this.#buffers.wholeOf(a) === this.#buffers.wholeOf(b)
  }

  #overwrite(value: ValueId, leaf: number): number {
    const id = this.#buffers.external('leaf', leaf, bytesOf(at(this.#values, value).spec))
    this.#written.add(id)
    return this.#place(value, id)
  }

  #place(value: ValueId, id: number): number {
    this.#bufferOf.set(value, id)
    return id
  }

  /** The buffer of a value. */
  #buffer(value: ValueId): number {
    const { spec, source } = at(this.#values, value)
    const external = source.kind === 'leaf' || source.kind === 'constant'
    return external ? this.#buffers.external(source.kind, source.index, bytesOf(spec)) : entry(this.#bufferOf, value)
  }

  #bind({ value, view }: Source): number {
    const id = this.#buffer(value)
    if (!view) return id
    const { dtype } = at(this.#values, value).spec
    return this.#buffers.part(id, view.offset * byteSize(dtype), bytesOf({ shape: view.shape, dtype }))
  }

  #operand({ value, view }: Source): Operand {
    return { value, view: view ?? whole(at(this.#values, value).spec) }
  }

  /** The buffers of the parts of leaves that are the values of tensors. */
  #tensorParts(): ReadonlySet<number> {
    const bindable = (x: Operand): boolean => isBindable(x, at(this.#values, x.value))
    return this.#partsOfLeaves ??= new Set(this.#leafParts.filter(bindable).map((x) => this.#bind(x)))
  }

  /** A fresh contiguous copy of what an operand sees. */
  #copy(operand: Operand): number {
    const { spec, source } = at(this.#values, operand.value)
    const copy = this.#values.push(copiedValue(operand.view, spec)) - 1
    this.#kernels(lowerExpression(copyOf(operand, spec, source), copy, (v) => at(this.#values, v).spec, this.#target))
    return this.#buffer(copy)
  }

  /** A buffer of its own for each result, unless it is an operand that was overwritten. */
  #result(operand: Operand): number {
    const { value, view } = operand
    const { spec, source } = at(this.#values, value)
    if (source.kind === 'scalar') return this.#copy(operand)
    const id = this.#buffer(value)
    const all = inOrder(view, spec)
    if (this.#written.has(id)) {
      // What overwrote a stored tensor shares its memory, that of the whole leaf or of the part that the tensor is.
      if (all) return id
      const part = isBindable(operand, { spec, source }) ? this.#bind(operand) : undefined
      if (part !== undefined && (part === id || this.#tensorParts().has(part))) return part
    }
    if (this.#buffers.at(id).kind === 'made' && all && !this.#claimed.has(id)) {
      this.#claimed.add(id)
      return id
    }
    return this.#copy(operand)
  }
}
