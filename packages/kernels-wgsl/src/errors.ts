/**
 * Base of every error that Antipode throws on purpose, so that one `instanceof` separates them from bugs.
 * Messages read "op: expected …, got …; what to do".
 */
export class AntipodeError extends Error {
  override readonly name: string = 'AntipodeError'
  /** Stable machine-readable cause, for example `'SHAPE'`; survives minification and copies of the class. */
  readonly code: string = 'ANTIPODE'
}

/** Operand shapes, axes or sizes do not fit the operation. */
export class ShapeError extends AntipodeError {
  override readonly name = 'ShapeError'
  override readonly code = 'SHAPE'
}

/** An operand has a dtype that the operation does not take. */
export class DTypeError extends AntipodeError {
  override readonly name = 'DTypeError'
  override readonly code = 'DTYPE'
}

/** The request is meaningful, but this adapter, host or build cannot carry it out. */
export class UnsupportedError extends AntipodeError {
  override readonly name = 'UnsupportedError'
  override readonly code = 'UNSUPPORTED'
}
