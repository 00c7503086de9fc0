import { type BlockType, blockTypes, inBlocks } from './block-types.ts'
import type { AdapterTuning } from './tuning.ts'

/**
 * Element types a tensor can have. `bf16` is a storage type: it is read and written, and cast before it is computed with. So are
 * types in blocks, which no kernel writes: only files and uploads bring them.
 */
export type DType = 'f32' | 'f16' | 'bf16' | 'i32' | 'u32' | BlockType

/** Shape and element type of one tensor; tensors are row-major and contiguous wherever a kernel sees them. */
export interface Spec {
  readonly shape: readonly number[]
  readonly dtype: DType
}

/** What the adapter can do, as far as a kernel's choice of variant depends on it. */
export interface Target {
  /** `software` adapters (lavapipe, SwiftShader) dislike barriers and many workgroups; `gpu` is everything else. */
  readonly kind: 'software' | 'gpu'
  /** Whether WGSL may `enable f16`. */
  readonly f16: boolean
  /** Lanes of a subgroup when every subgroup has that many, else 0: then no kernel uses subgroup operations. */
  readonly subgroupSize: number
  /** Rows that a storage texture of {@link textureWidth} texels may have where products may read their operands from textures, else 0. */
  readonly textureRows: number
  /** Whether subgroups of 32 lanes multiply matrices of 16×16 f16 into f32. */
  readonly matrices: boolean
  /** Bytes of workgroup memory that a kernel may take. */
  readonly workgroupBytes: number
  /** Bytes of a buffer that a kernel may bind; no limit by default. */
  readonly bindingBytes?: number
  /** What the adapter likes, as numbers: a row of `tuningTable`. */
  readonly tuning: AdapterTuning
}

/** What a kernel binds. Inputs are bound read-only, outputs and scratch read-write, textures as `access` says. */
export type Binding =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'scratch'; readonly index: number; readonly byteLength: number }
  | { readonly kind: 'texture'; readonly index: number; readonly rows: number; readonly access: 'read' | 'write' }
  | { readonly kind: 'extra'; readonly index: number }

/** Texels of 16 bytes (`rgba32float`) in a row of a scratch texture. */
export const textureWidth = 1024

/**
 * One dispatch as data. `@binding(0)` is the uniform block built from `params`; storage buffers follow from
 * `@binding(1)` in the order of `bindings`. An output that lives in its input's buffer is bound once, as output.
 */
export interface Kernel {
  readonly label: string
  readonly wgsl: string
  readonly bindings: readonly Binding[]
  /** 32-bit words of the uniform block; use {@link f32Bits} for floats. */
  readonly params: readonly number[]
  /** Pipeline-overridable constants. */
  readonly constants?: Readonly<Record<string, number>>
  readonly workgroups: readonly [number, number, number]
  /** First word of `params` that holds the run-time scalars of a fused expression, each by the bits of its own dtype. */
  readonly scalarWord?: number
  /** Part of its op's arithmetic, 1 by default, against the shares of the op's other kernels; 0 by default if it writes no output. */
  readonly share?: number
}

/**
 * An elementwise expression applied to each value before it is stored: WGSL that defines
 * `fn epilogue(v: f32, i: u32) -> f32` (`i` is the flat output index) and binds `extras` as `extra0`, `extra1`…
 */
export interface Epilogue {
  readonly key: string
  readonly wgsl: (firstBinding: number) => string
  readonly extras: number
  /** Of what is stored. */
  readonly dtype: DType
  /** Whether the text uses f16, for example to read an extra. */
  readonly f16: boolean
  readonly params: readonly number[]
  readonly scalars: number
  /** The same of four values at once, for kernels that know where extras lie; absent where it cannot be had. */
  readonly quad?: {
    /** What the expression runs over: as many elements as the output has, perhaps in another shape; and the extras seen in it. */
    readonly shape: readonly number[]
    readonly views: readonly { readonly strides: readonly number[]; readonly offset: number }[]
    /**
     * WGSL of `fn epilogue(v: vec4f, i0: u32, i1: u32…) -> vec4f`: extra k is read at `ik`, where the four read one element, or,
     * if `coalesced[k]`, four neighbours, of which `ik` counts in fours. It needs no words of `params`.
     */
    readonly wgsl: (firstBinding: number, coalesced: readonly boolean[]) => string
  }
}

/** Attributes of an op: plain data, so that a graph can be compared and replayed. */
export type Attrs = Readonly<Record<string, unknown>>

/** What a kernel is asked to compute. */
export interface Problem<A extends Attrs = Attrs> {
  readonly inputs: readonly Spec[]
  readonly outputs: readonly Spec[]
  readonly attrs: A
  readonly epilogue?: Epilogue
}

/** A float64 tensor on which references run. */
export interface RefTensor extends Spec {
  readonly data: Float64Array
}

/** How a gradient rule calls other ops: on GPU tensors in core, on {@link RefTensor} in tests. */
export interface ApplyOp<T> {
  (op: Op, inputs: readonly T[], attrs?: Attrs): readonly T[]
  spec(t: T): Spec
  /** A rank-0 constant that takes part in broadcasting. */
  scalar(value: number, dtype: DType): T
  /** Elementwise arithmetic, so that a rule reads like its formula. */
  readonly m: Maths<T>
}

/** Arithmetic on what carries a gradient: operations of the table by name, numbers where a constant is meant. */
export interface Maths<T> {
  add(a: T | number, b: T | number): T
  sub(a: T | number, b: T | number): T
  mul(a: T | number, b: T | number): T
  div(a: T | number, b: T | number): T
  pow(a: T, b: T): T
  lt(a: T, b: T | number): T
  le(a: T, b: T | number): T
  gt(a: T, b: T | number): T
  ge(a: T, b: T | number): T
  eq(a: T, b: T | number): T
  where(c: T, a: T | number, b: T | number): T
  neg(x: T): T
  sign(x: T): T
  exp(x: T): T
  log(x: T): T
  square(x: T): T
  sqrt(x: T): T
  sin(x: T): T
  cos(x: T): T
  sigmoid(x: T): T
  erf(x: T): T
  erfc(x: T): T
  siluGrad(g: T, x: T): T
}

/** The arguments of a gradient rule; `grads[k]` is undefined where nothing depends on output k. */
export interface Vjp<T, A extends Attrs = Attrs> {
  readonly inputs: readonly T[]
  readonly outputs: readonly T[]
  readonly grads: readonly (T | undefined)[]
  readonly attrs: A
  /** Which inputs need a gradient; the others may be left undefined, which saves their work. */
  readonly needs: readonly boolean[]
}

/** Strides and offset, in elements, of a tensor that looks into another's buffer. */
export interface View {
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly offset: number
}

/** A condition under which an op gives the value of one of its inputs: where the tensor is not 0, or where it is. */
export interface Choice<T> {
  readonly by: T
  readonly holds: boolean
}

/**
 * Everything that is known about an operation, in one place. An op has `kernels` (it computes), or `view` (it only
 * re-reads its first input's buffer), or `pointwise` (core fuses it into one kernel with its neighbours).
 */
export interface Op<A extends Attrs = Attrs> {
  readonly name: string
  /** Output shapes and dtypes. @throws {ShapeError} @throws {DTypeError} */
  infer(inputs: readonly Spec[], attrs: A): readonly Spec[]
  kernels?(problem: Problem<A>, target: Target): readonly Kernel[]
  /**
   * Floating-point operations that the outputs need, whichever variant computes them: two a multiply-add, those with an image's
   * padding too. Products, convolutions and attention count theirs; absent for ops whose time is that of their bytes.
   */
  flops?(inputs: readonly Spec[], outputs: readonly Spec[], attrs: A): number
  /** The view of the first input, or undefined when these strides cannot express it and a copy is needed. */
  view?(view: View, attrs: A): View | undefined
  readonly pointwise?: Pointwise
  /** Of an elementwise op that gives one of its inputs as it is: where each is the one, the gradient's way. */
  chooses?<T>(m: Maths<T>, inputs: readonly T[]): readonly (Choice<T> | undefined)[]
  /** Cotangents of the inputs. Absent when no gradient is defined: then nothing flows through. */
  vjp?<T>(call: ApplyOp<T>, args: Vjp<T, A>): readonly (T | undefined)[]
  /** Plain loops in float64. */
  reference(inputs: readonly RefTensor[], attrs: A): readonly RefTensor[]
  /** Of an elementwise op that converts its input: the element types to which a step of a fused expression does that. */
  readonly convertsTo?: readonly DType[]
  /** Of a view: whether it has all elements of its input in their order. */
  readonly keepsOrder?: boolean
  /** Of a view: inputs that only have to be computed before it, and are not read. */
  readonly waitsFor?: readonly number[]
  /** Whether its first input may be in blocks: all others compute with numbers. */
  readonly takesBlocks?: boolean
  /**
   * Whether its results are quicker computed again than kept, from inputs that are there anyway: gradients, which come long after
   * the forward pass, do so.
   */
  readonly recomputed?: boolean
  /** Whether no gradient flows through it, and none is missed. */
  readonly blocksGradient?: boolean
  /** Of an op that lays its inputs out in its output: whether stored inputs are to be moved into one buffer, laid out so. */
  readonly coalesces?: boolean
  /** `inplace[k]` names the input whose buffer output k overwrites. */
  readonly inplace?: readonly (number | undefined)[]
  /**
   * Where each input lies in output 0 as it is, by its first element, or undefined if they do not lie there in one piece. An
   * input computed in its place needs none of the kernels that read it, which only copy it there.
   */
  offsetsInOutput?(inputs: readonly Spec[], attrs: A): readonly number[] | undefined
  /** Whether the kernels call `epilogue(v, i)` on each value of output 0. */
  readonly epilogue?: boolean
}

/** One elementwise operation: how it is written in WGSL and how it is computed in float64. */
export interface Pointwise {
  readonly arity: number
  /** WGSL expression of the argument expressions, computed in f32 (or i32/u32 for integer tensors); it may call the helpers of wgsl/math.ts. */
  readonly wgsl: (...args: string[]) => string
  readonly f: (...args: number[]) => number
  /** The same for integers, where they need another expression or give another result; sums and products of integers wrap. */
  readonly whole?: { readonly wgsl?: (...args: string[]) => string; readonly f?: (...args: number[]) => number }
  /** Element types the expression is defined for; `V(…)` in it stands for the type of its arguments. */
  readonly dtypes: readonly DType[]
}

/** The bits of a float32 as an unsigned word, for {@link Kernel.params}. */
export function f32Bits(x: number): number {
  bitsF32[0] = x
  return bitsU32[0] ?? 0
}
const bitsF32 = /* @__PURE__ */ new Float32Array(1)
const bitsU32 = /* @__PURE__ */ new Uint32Array(bitsF32.buffer)

/** Bytes at whose multiples a kernel may bind a buffer: WebGPU's default alignment. */
export const bindingAlignment = 256

/** Bytes of one element: of those in blocks on average, which is exact for whole blocks. */
export function byteSize(dtype: DType): number {
  if (inBlocks(dtype)) return blockTypes[dtype].bytes / blockTypes[dtype].size
  return dtype === 'f16' || dtype === 'bf16' ? 2 : 4
}

/** Whether arithmetic on the type is real-valued, so that gradients exist. */
export function isFloat(dtype: DType): boolean {
  return dtype === 'f32' || dtype === 'f16' || dtype === 'bf16'
}
