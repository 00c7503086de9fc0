import { DTypeError, ShapeError } from '../errors.ts'
import type { Spec } from '../op.ts'
import { input, shapeText } from '../shape.ts'

/** A matrix of bytes: its rows, each of `columns` numbers. */
export interface ByteMatrix {
  readonly rows: number
  readonly columns: number
}

/**
 * Checks the two inputs from `first` on: `words`, u32 `[R, C/4]`, whose bytes are signed integers, the first one lowest, and
 * `scale`, f32 `[R]`. @throws {ShapeError} @throws {DTypeError}
 */
export function byteMatrix(op: string, inputs: readonly Spec[], first: number): ByteMatrix {
  const [words, scale] = [input(op, inputs, first), input(op, inputs, first + 1)]
  if (words.dtype !== 'u32' || scale.dtype !== 'f32') {
    throw new DTypeError(`${op}: expected words in u32 and scales in f32, got ${words.dtype} and ${scale.dtype}; make them by quantise()`)
  }
  const [rows, wordsEach] = words.shape
  if (words.shape.length !== 2 || rows === undefined || wordsEach === undefined || scale.shape.length !== 1 || scale.shape[0] !== rows) {
    throw new ShapeError(`${op}: expected words [R, C/4] and scales [R], got ${shapeText(words.shape)} and ${shapeText(scale.shape)}`)
  }
  return { rows, columns: 4 * wordsEach }
}

/** The signed integer of a byte of a word: WGSL of all four. */
export const unpack = /* wgsl */ `
fn unpack(word: u32) -> vec4f {
  let w = bitcast<i32>(word);
  return vec4f(vec4i(extractBits(w, 0u, 8u), extractBits(w, 8u, 8u), extractBits(w, 16u, 8u), extractBits(w, 24u, 8u)));
}
`

/** The same of a reference's element: byte k of word i. */
export function byteAt(words: Float64Array, i: number): number {
  return (words[i >> 2]! << (24 - 8 * (i & 3))) >> 24
}
