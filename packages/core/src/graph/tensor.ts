import * as K from '@antipode/kernels-wgsl'
import { inBlocks } from '@antipode/kernels-wgsl'
import { DisposedError, DTypeError, ShapeError } from '../errors.ts'
import { encodeElements } from '../io/index.ts'
import { checkOptions, either, finite, flag, listOf } from '../options/index.ts'
import type { Elements, GraphBackend } from './backend.ts'
import { onceWithin } from './common.ts'
import { leaks } from './leaks.ts'
import { type Application, deviceOf, makeNode } from './make-node.ts'
import { type GraphNode, type GraphTrace, type SharedSpec, sharedSpec, type Signature, signatureOf, type TracedGraphNode } from './node.ts'
import { checkNumber, checkNumbers, holds } from './numbers.ts'
import { track } from './scope.ts'
import { checkShape, completedShape, runsOfAxes } from './shape.ts'
import type { Storage } from './storage.ts'

/** What a tensor needs of its device: memory, and someone who runs graphs. */
export interface Backend extends GraphBackend<Tensor> {}

/** One application of an op to tensors; see {@link GraphNode}. */
export type Node = GraphNode<Tensor>

/** What a compiled function of tensors computes; see {@link GraphTrace}. */
export type Trace = GraphTrace<Tensor>

/** A node of a {@link Trace}. */
export type TracedNode = TracedGraphNode<Tensor>

/** Where a tensor's value comes from: memory, a computation not yet run, a number, or whoever calls the function that is being compiled. */
type Source =
  | { readonly kind: 'storage'; readonly storage: Storage }
  | { readonly kind: 'node'; readonly node: Node; readonly index: number }
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'constant'; readonly bytes: Uint8Array }
  | { readonly kind: 'argument' }
  | { readonly kind: 'disposed' }

/**
 * What arithmetic takes on its right-hand side. A number takes the type of the tensor beside it; where that is an integer type
 * which does not hold the number (0.5, NaN, an infinity, 2³²), tensor and result are f32 instead, as in torch. So it is in every
 * operation that takes a number: arithmetic, comparisons, `clamp`, `maximum`, `where`.
 */
export type Operand = Tensor | number

/**
 * An n-dimensional array on a device, row-major. It is a handle on a node of a graph: building one does no GPU work and
 * takes no GPU memory. `await t.data()`, `await t.item()` or `await evaluate(t)` runs what is needed; from then on the
 * tensor owns its value. Evaluated and uploaded tensors should be disposed (`using x = …`, `x.dispose()`, or a `scope`).
 */
export class Tensor implements Disposable {
  readonly device: Backend
  readonly shape: readonly number[]
  readonly dtype: K.DType
  /** @internal */
  readonly spec: SharedSpec
  #source: Source

  /** @internal Use {@link tensor}, `zeros`, `randn` … */
  constructor(device: Backend, spec: SharedSpec, source: Source) {
    this.device = device
    this.shape = spec.shape
    this.dtype = spec.dtype
    this.spec = spec
    this.#source = source
    if (source.kind === 'storage') this.#own()
  }

  /** Number of elements. */
  get size(): number {
    return K.sizeOf(this.shape)
  }

  /** Bytes that its elements take on a device. */
  get byteLength(): number {
    return this.size * K.byteSize(this.dtype)
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length
  }

  /** @internal */
  get source(): Source {
    return this.#source
  }

  /** @internal Replaces the computation by its value. */
  realise(storage: Storage): void {
    this.#source = { kind: 'storage', storage }
    this.#own()
  }

  #own(): void {
    track(this)
    leaks.watch(this)
  }

  /** The elements, after running whatever computes them. */
  async data(): Promise<Elements> {
    await this.device.evaluate([this])
    if (this.#source.kind !== 'storage') throw new DisposedError('data: the tensor was disposed while it was being read')
    return this.device.read(this.#source.storage, this.dtype, this.size)
  }

  /** The only element. @throws {ShapeError} unless there is exactly one */
  async item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError(`item: expected one element, got shape ${K.shapeText(this.shape)}; use data()`)
    return (await this.data())[0] ?? Number.NaN
  }

  /**
   * Overwrites the elements in place, as loading a checkpoint into parameters does. Graphs evaluated later see the new
   * values. @throws {ShapeError} if the count differs @throws {NumericError} if the dtype does not hold an element, or it is NaN
   * or infinite and not `allowNonFinite` @throws {DisposedError} unless the tensor owns its value and its device is in use
   */
  write(data: ArrayLike<number>, options: NonFiniteOptions = {}): void {
    checkOptions('write', options, { allowNonFinite: flag })
    if (data.length !== this.size) throw new ShapeError(`write: expected ${this.size} numbers for ${K.shapeText(this.shape)}, got ${data.length}`)
    if (this.#source.kind !== 'storage') throw new DisposedError('write: expected an evaluated tensor; evaluate it first')
    checkNumbers('write', data, this.dtype, options.allowNonFinite ?? false)
    this.device.write(this.#source.storage, encodeElements(data, this.dtype))
  }

  /** Gives the memory back. Using the tensor afterwards throws {@link DisposedError}; disposing twice does nothing. */
  dispose(): void {
    if (this.#source.kind === 'storage') {
      leaks.forget(this)
      this.#source.storage.release()
    }
    if (this.#source.kind === 'storage' || this.#source.kind === 'node') this.#source = { kind: 'disposed' }
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  // Elementwise arithmetic; operands broadcast as in NumPy.
  add(b: Operand): Tensor { return binary(K.add, this, b) }
  sub(b: Operand): Tensor { return binary(K.sub, this, b) }
  mul(b: Operand): Tensor { return binary(K.mul, this, b) }
  div(b: Operand): Tensor { return binary(K.div, this, b) }
  pow(b: Operand): Tensor { return binary(K.pow, this, b) }
  maximum(b: Operand): Tensor { return binary(K.maximum, this, b) }
  minimum(b: Operand): Tensor { return binary(K.minimum, this, b) }
  /** 1 where this < b, else 0; so are `le`, `gt`, `ge` and `eq`. */
  lt(b: Operand): Tensor { return binary(K.lt, this, b) }
  le(b: Operand): Tensor { return binary(K.le, this, b) }
  gt(b: Operand): Tensor { return binary(K.gt, this, b) }
  ge(b: Operand): Tensor { return binary(K.ge, this, b) }
  eq(b: Operand): Tensor { return binary(K.eq, this, b) }
  /** Limits elements to [lo, hi]. */
  clamp(lo: number, hi: number): Tensor { return this.maximum(lo).minimum(hi) }
  neg(): Tensor { return unary(K.neg, this) }
  abs(): Tensor { return unary(K.abs, this) }
  sign(): Tensor { return unary(K.sign, this) }
  exp(): Tensor { return unary(K.exp, this) }
  log(): Tensor { return unary(K.log, this) }
  sqrt(): Tensor { return unary(K.sqrt, this) }
  rsqrt(): Tensor { return unary(K.rsqrt, this) }
  square(): Tensor { return unary(K.square, this) }
  sin(): Tensor { return unary(K.sin, this) }
  cos(): Tensor { return unary(K.cos, this) }
  tanh(): Tensor { return unary(K.tanh, this) }
  sigmoid(): Tensor { return unary(K.sigmoid, this) }
  relu(): Tensor { return unary(K.relu, this) }
  silu(): Tensor { return unary(K.silu, this) }
  gelu(): Tensor { return unary(K.gelu, this) }
  quickGelu(): Tensor { return unary(K.quickGelu, this) }
  softplus(): Tensor { return unary(K.softplus, this) }
  floor(): Tensor { return unary(K.floor, this) }

  /** The tensor in another element type. @throws {DTypeError} if there is none of that name, or it is in blocks, which only uploads make */
  to(dtype: K.DType): Tensor {
    if (dtype === this.dtype) return this
    if (!inBlocks(this.dtype)) return apply1(K.cast, [this], { dtype })
    return apply1(K.dequantise, [this], { dtype: dtype === 'f16' ? dtype : 'f32' }).to(dtype)
  }

  /** The same elements in another shape; one size may be -1 and is worked out. @throws {ShapeError} */
  reshape(shape: readonly number[]): Tensor {
    const full = completedShape('reshape', shape, this.size)
    return K.sameShape(full, this.shape) ? this : apply1(K.reshape, [this], { shape: full })
  }

  /** Axes in another order: output axis i is axis `axes[i]` of this tensor. */
  permute(axes: readonly number[]): Tensor {
    return apply1(K.permute, [this], { axes: axes.map((a) => K.normaliseAxis('permute', a, this.rank)) })
  }

  /** Swaps two axes, the last two by default. */
  transpose(a = -2, b = -1): Tensor {
    const [i, j] = [K.normaliseAxis('transpose', a, this.rank), K.normaliseAxis('transpose', b, this.rank)]
    return this.permute(this.shape.map((_, k) => (k === i ? j : k === j ? i : k)))
  }

  /** Elements `start` to `end` (exclusive; negative counts from the end) of an axis. */
  slice(axis: number, start: number, end: number = Infinity): Tensor {
    const along = K.normaliseAxis('slice', axis, this.rank)
    const size = K.at(this.shape, along)
    const place = (i: number): number => Math.min(size, i < 0 ? i + size : i)
    return apply1(K.slice, [this], { axis: along, start: place(start), end: place(end) })
  }

  /** Repeats axes of size 1 without copying; -1 keeps a size. @throws {ShapeError} */
  expand(shape: readonly number[]): Tensor {
    const lead = shape.length - this.rank
    const full = Array.isArray(shape) ? shape.map((d: number, i) => (d === -1 ? this.shape[i - lead] ?? -1 : d)) : shape
    checkShape('expand', full)
    return K.sameShape(full, this.shape) ? this : apply1(K.expand, [this], { shape: full })
  }

  /** Adds an axis of size 1. */
  unsqueeze(axis: number): Tensor {
    const at = K.normaliseAxis('unsqueeze', axis, this.rank + 1)
    return this.reshape([...this.shape.slice(0, at), 1, ...this.shape.slice(at)])
  }

  /** Removes an axis of size 1. */
  squeeze(axis: number): Tensor {
    const at = K.normaliseAxis('squeeze', axis, this.rank)
    return this.reshape(this.shape.filter((_, i) => i !== at))
  }

  sum(options?: ReduceOptions): Tensor { return reduce('sum', this, options) }
  mean(options?: ReduceOptions): Tensor { return reduce('mean', this, options) }
  max(options?: ReduceOptions): Tensor { return reduce('max', this, options) }
  min(options?: ReduceOptions): Tensor { return reduce('min', this, options) }

  /** Matrix product over the last two axes; either operand may be read transposed. */
  matmul(b: Tensor, options: { transposeA?: boolean; transposeB?: boolean } = {}): Tensor {
    checkOptions('matmul', options, matmulRanges)
    return apply1(K.matmul, [this, b], { transposeA: options.transposeA ?? false, transposeB: options.transposeB ?? false })
  }

  toString(): string {
    return `Tensor(${this.dtype}${K.shapeText(this.shape)}, ${this.#source.kind})`
  }
}

/** Of what takes elements: whether NaN and the infinities are wanted, false by default. A finite number that the dtype does not hold never is. */
export interface NonFiniteOptions {
  readonly allowNonFinite?: boolean
}

/** Which axes to reduce. */
export interface ReduceOptions {
  /** An axis or several, in [−rank, rank); all by default. */
  readonly axes?: readonly number[] | number
  /** Whether they stay as size 1, false by default. */
  readonly keepDims?: boolean
}

const matmulRanges = { transposeA: flag, transposeB: flag }
const reduceRanges = { axes: either(finite, listOf(finite)), keepDims: flag }

/** @throws {ConfigError} if an option is none @throws {ShapeError} if x has no such axis */
function reduce(kind: 'sum' | 'mean' | 'max' | 'min', x: Tensor, options: ReduceOptions = {}): Tensor {
  checkOptions(kind, options, reduceRanges)
  const { axes, keepDims = false } = options
  const list = axes === undefined ? x.shape.map((_, i) => i) : typeof axes === 'number' ? [axes] : axes
  const chosen = new Set(list.map((a) => K.normaliseAxis(kind, a, x.rank)))
  // The mean of means is the mean, as runs are equally long.
  const out = runsOfAxes(chosen, x.rank).reduce((y, [start, end]) => apply1(K.reduce, [y], { kind, start, end }), x)
  return keepDims || chosen.size === 0 ? out : out.reshape(x.shape.filter((_, i) => !chosen.has(i)))
}

/** Applies an op to tensors: checks shapes and dtypes at once, and computes nothing. */
export function apply(op: K.Op, inputs: readonly Tensor[], attrs: K.Attrs = {}): readonly Tensor[] {
  const application = { op, inputs, attrs, trace: undefined }
  const device = deviceOf(application)
  return outputsOf(device, application, signatureOf(op, attrs, inputs))
}

/** Calls a compiled function: a node of that op and signature that stands for its trace. */
export function applyTrace(op: K.Op, inputs: readonly Tensor[], signature: Signature, trace: Trace): readonly Tensor[] {
  const application = { op, inputs, attrs: {}, trace }
  return outputsOf(deviceOf(application), application, signature)
}

function outputsOf(device: Backend, application: Application<Tensor>, signature: Signature): readonly Tensor[] {
  return onceWithin(application, signature, () => (
    makeNode(application, signature, device, (spec, node, index) => new Tensor(device, spec, { kind: 'node', node, index })).outputs
  ))
}

/** {@link apply} for ops with one output. */
export function apply1(op: K.Op, inputs: readonly Tensor[], attrs: K.Attrs = {}): Tensor {
  return K.at(apply(op, inputs, attrs), 0)
}

const noAxes: readonly number[] = []

/**
 * A rank-0 constant. Its value is no part of a graph's structure, so changing it recompiles nothing.
 * @throws {NumericError} unless the dtype holds it; real ones hold NaN and the infinities @throws {DTypeError} if there is none of that name
 */
export function scalar(device: Backend, value: number, dtype: K.DType = 'f32'): Tensor {
  const spec = sharedSpec({ shape: noAxes, dtype }, 'scalar')
  checkNumber('scalar', value, dtype)
  return new Tensor(device, spec, { kind: 'scalar', value })
}

/** The tensors that operands are, numbers lifted beside `like`: see {@link Operand}. */
export function lifted(where: string, like: Tensor, operands: readonly Operand[]): readonly Tensor[] {
  const { device, dtype } = like
  const real = K.isFloat(dtype) || operands.every((x) => typeof x !== 'number' || holds(dtype, x))
  const spec = sharedSpec({ shape: noAxes, dtype: real ? dtype : 'f32' })
  return operands.map((x) => {
    if (x instanceof Tensor) return real ? x : x.to('f32')
    // Arithmetic on f16 is that of f32, so a factor may be beyond what f16 holds.
    checkNumber(where, x, real && !K.isFloat(dtype) ? dtype : 'f32')
    return new Tensor(device, spec, { kind: 'scalar', value: x })
  })
}

/** Applies a binary elementwise op to a tensor and a tensor or number. */
export function binary(op: K.Op, a: Operand, b: Operand): Tensor {
  const like = a instanceof Tensor ? a : b
  if (!(like instanceof Tensor)) throw new DTypeError(`${op.name}: expected a tensor among the operands, got none`)
  return apply1(op, lifted(op.name, like, [a, b]))
}

function unary(op: K.Op, x: Tensor): Tensor {
  return apply1(op, [x])
}
