import * as K from '@antipode/kernels-wgsl'
import { ShapeError } from '../errors.ts'
import { apply, apply1, binary, checkNumber, lifted, type Operand, Tensor } from '../graph/index.ts'
import { checkArgument, checkOptions, either, flag, listOf, whole } from '../options/index.ts'

const piecesRange = either(whole(1), listOf(whole(0)))
const topKRanges = { largest: flag }

/** Tensors joined along an axis. @throws {ShapeError} if there is no such axis, or another differs */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  const [first] = tensors
  if (!first) throw new ShapeError('concat: expected at least one tensor, got none')
  const along = K.normaliseAxis('concat', axis, first.rank)
  return tensors.length === 1 ? first : apply1(K.concat, tensors, { axis: along })
}

/** Tensors of one shape joined along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  return concat(tensors.map((t) => t.unsqueeze(axis)), axis)
}

/**
 * An axis cut into pieces of these sizes, or into that many equal pieces.
 * @throws {ShapeError} if they do not add up @throws {ConfigError} unless sizes are whole numbers of 0 or more, or their number one of 1 or more
 */
export function split(x: Tensor, pieces: number | readonly number[], axis = 0): Tensor[] {
  checkArgument('split', 'pieces', pieces, piecesRange)
  const at = K.normaliseAxis('split', axis, x.rank)
  const size = x.shape[at] ?? 0
  const sizes = typeof pieces === 'number' ? new Array<number>(pieces).fill(size / pieces) : pieces
  if (sizes.reduce((a, b) => a + b, 0) !== size || !sizes.every(Number.isInteger)) {
    throw new ShapeError(`split: expected pieces that add up to ${size}, got ${sizes.join(' + ')}`)
  }
  let start = 0
  return sizes.map((n) => x.slice(at, start, (start += n)))
}

/** Zeros around one axis. @throws {ShapeError} if there is no such axis, or a count is no whole number of 0 or more */
export function pad(x: Tensor, axis: number, before: number, after: number): Tensor {
  const along = K.normaliseAxis('pad', axis, x.rank)
  return before === 0 && after === 0 ? x : apply1(K.pad, [x], { axis: along, before, after })
}

/**
 * a where the condition is not 0, else b; all broadcast. A number takes the type of the other choice, or of the condition if both
 * are numbers, as {@link Operand} says. @throws {NumericError} if that type does not hold it
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const like = a instanceof Tensor ? a : b instanceof Tensor ? b : condition
  const [yes, no] = lifted('where', like, [a, b]) as [Tensor, Tensor]
  const { dtype } = yes
  for (const x of [a, b]) if (typeof x === 'number') checkNumber('where', x, dtype)
  if (condition.dtype === dtype || !K.isFloat(condition.dtype) || dtype === 'f32') return apply1(K.where, [condition.to(dtype), yes, no])
  // A narrower type would make 0 of what is not.
  return apply1(K.where, [condition.eq(0).to(dtype), no, yes])
}

/** Larger of two, elementwise. */
export function maximum(a: Operand, b: Operand): Tensor { return binary(K.maximum, a, b) }

/** Smaller of two, elementwise. */
export function minimum(a: Operand, b: Operand): Tensor { return binary(K.minimum, a, b) }

/** `Σ cₖ·xₖ`, one fused kernel; the coefficients are run-time values. */
export function linearCombination(terms: readonly (readonly [coefficient: number, x: Tensor])[]): Tensor {
  const sum = terms.map(([c, x]) => x.mul(c)).reduce<Tensor | undefined>((a, b) => (a ? a.add(b) : b), undefined)
  if (!sum) throw new ShapeError('linearCombination: expected at least one term, got none')
  return sum
}

/**
 * The k largest (or, unless `largest`, smallest) of the last axis, sorted, with their indices (i32).
 * @throws {ShapeError} unless k is a whole number from 0 to the size of the axis @throws {ConfigError} if an option is none
 */
export function topK(x: Tensor, k: number, options: { largest?: boolean } = {}): { values: Tensor; indices: Tensor } {
  checkOptions('topK', options, topKRanges)
  const { largest = true } = options
  const [values, indices] = apply(K.topK, [x], { k, largest })
  return { values: values as Tensor, indices: indices as Tensor }
}

/** Index (i32) of the largest element of the last axis; ties go to the first. */
export function argmax(x: Tensor): Tensor {
  return topK(x, 1).indices.squeeze(-1)
}
