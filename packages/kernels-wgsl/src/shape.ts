import { DTypeError, ShapeError } from './errors.ts'
import type { DType, RefTensor, Spec } from './op.ts'

/** Number of elements. */
export function sizeOf(shape: readonly number[]): number {
  let n = 1
  for (const d of shape) n *= d
  return n
}

/** Row-major strides in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let step = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step
    step *= shape[i] ?? 1
  }
  return strides
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i])
}

/** `[2,3,4]`, for messages. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(',')}]`
}

/**
 * NumPy broadcasting: shapes are aligned at the right, sizes must be equal or 1.
 * @throws {ShapeError} if two sizes differ and neither is 1
 */
export function broadcastShapes(op: string, shapes: readonly (readonly number[])[]): readonly number[] {
  // Mostly all are one shape, or numbers beside it: then that array itself is the answer, and is recognised by whoever knows it.
  const whole = shapes.find((s) => s.length > 0)
  if (whole && shapes.every((s) => s === whole || s.length === 0)) return whole
  const rank = Math.max(0, ...shapes.map((s) => s.length))
  const out = new Array<number>(rank).fill(1)
  for (const s of shapes) {
    for (let i = 0; i < s.length; i++) {
      const at = rank - s.length + i
      const d = s[i] ?? 1
      if (d === 1 || d === out[at]) continue
      if (out[at] !== 1) {
        throw new ShapeError(
          `${op}: shapes ${shapes.map(shapeText).join(' and ')} do not broadcast: expected sizes equal or 1, ` +
            `got ${out[at]} and ${d} on axis ${at}`,
        )
      }
      out[at] = d
    }
  }
  return out
}

/** A non-negative axis. @throws {ShapeError} if it is out of range */
export function normaliseAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ShapeError(`${op}: expected an axis in [${-rank}, ${rank - 1}], got ${axis}`)
  }
  return axis < 0 ? axis + rank : axis
}

/** Throws unless every input has the first one's dtype. */
export function sameDType(op: string, inputs: readonly Spec[]): DType {
  const first = inputs[0]?.dtype ?? 'f32'
  for (const s of inputs) {
    if (s.dtype !== first) {
      throw new DTypeError(`${op}: expected one dtype, got ${inputs.map((i) => i.dtype).join(' and ')}; cast one with .to()`)
    }
  }
  return first
}

/** Throws unless the tensor is f32 or f16. */
export function computableFloat(op: string, spec: Spec): DType {
  if (spec.dtype !== 'f32' && spec.dtype !== 'f16') {
    throw new DTypeError(`${op}: expected f32 or f16, got ${spec.dtype}; cast it with .to('f32')`)
  }
  return spec.dtype
}

/** Throws unless the tensor has this rank. */
export function expectRank(op: string, what: string, spec: Spec, rank: number): void {
  if (spec.shape.length !== rank) {
    throw new ShapeError(`${op}: expected ${what} of rank ${rank}, got ${shapeText(spec.shape)}`)
  }
}

/** The k-th input; a rule that asks for one it was not given is called wrongly. @throws {ShapeError} */
export function input<T>(op: string, inputs: readonly T[], k: number): T {
  const t = inputs[k]
  if (t === undefined) throw new ShapeError(`${op}: expected at least ${k + 1} inputs, got ${inputs.length}`)
  return t
}

/** An empty reference tensor. */
export function refZeros(shape: readonly number[], dtype: DType = 'f32'): RefTensor {
  return { shape, dtype, data: new Float64Array(sizeOf(shape)) }
}

/** Element of a reference tensor; apart from `at`, as loops over many are fast only where one kind of list is read. */
export function element(data: Float64Array, i: number): number {
  const x = data[i]
  if (x === undefined) throw new RangeError(`element: expected an index below ${data.length}, got ${i}`)
  return x
}
