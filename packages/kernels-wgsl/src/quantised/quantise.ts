import { ShapeError, UnsupportedError } from '../errors.ts'

/** A matrix as signed bytes with a scale a row: `value ≈ scale[row] · byte`. */
export interface QuantisedMatrix {
  /** `[R, C/4]`: four bytes a word, the first one lowest. */
  readonly words: Uint32Array<ArrayBuffer>
  /** `[R]` */
  readonly scale: Float32Array<ArrayBuffer>
}

/**
 * Rounds a matrix `[rows, columns]` to signed bytes, each row by its own scale, its largest size over 127, so that no value is
 * further off than half of it. A row of zeros has scale 0.
 * @throws {ShapeError} unless there are as many values, and four divides `columns` @throws {UnsupportedError} if a value is not finite
 */
export function quantise(values: ArrayLike<number>, rows: number, columns: number): QuantisedMatrix {
  if (values.length !== rows * columns || columns % 4 !== 0) {
    throw new ShapeError(`quantise: expected [${rows}, ${columns}] values, columns a multiple of 4, got ${values.length}`)
  }
  const words = new Uint32Array(rows * columns / 4)
  const bytes = new Int8Array(words.buffer)
  const scale = new Float32Array(rows)
  for (let row = 0; row < rows; row++) {
    let largest = 0
    for (let c = 0; c < columns; c++) {
      const value = values[row * columns + c]!
      if (!Number.isFinite(value)) throw new UnsupportedError(`quantise: expected finite values, got ${value} at [${row}, ${c}]`)
      largest = Math.max(largest, Math.abs(value))
    }
    const step = Math.fround(largest / 127)
    scale[row] = step
    if (step === 0) continue
    for (let c = 0; c < columns; c++) bytes[row * columns + c] = Math.max(-127, Math.min(127, Math.round(values[row * columns + c]! / step)))
  }
  return { words, scale }
}
