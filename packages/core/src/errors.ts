import { AntipodeError } from '@antipode/kernels-wgsl'

export { AntipodeError, DTypeError, ShapeError, UnsupportedError } from '@antipode/kernels-wgsl'

/** A tensor, file or device was used after it had been disposed or closed. */
export class DisposedError extends AntipodeError {
  override readonly name = 'DisposedError'
  override readonly code = 'DISPOSED'
}

/** The GPU device was lost (driver reset, adapter unplugged); a new `Device` is needed. */
export class DeviceLostError extends AntipodeError {
  override readonly name = 'DeviceLostError'
  override readonly code = 'DEVICE_LOST'
}

/** The GPU or the host could not provide the memory asked for. */
export class OutOfMemoryError extends AntipodeError {
  override readonly name = 'OutOfMemoryError'
  override readonly code = 'OUT_OF_MEMORY'
}

/** A checkpoint is missing, truncated, malformed, hostile or of another format. */
export class CheckpointError extends AntipodeError {
  override readonly name = 'CheckpointError'
  override readonly code = 'CHECKPOINT'
}

/** An option or configuration value is outside what the function accepts. */
export class ConfigError extends AntipodeError {
  override readonly name = 'ConfigError'
  override readonly code = 'CONFIG'
}

/** A NaN or an infinity turned up where only finite numbers make sense, or a number that its element type does not hold. */
export class NumericError extends AntipodeError {
  override readonly name = 'NumericError'
  override readonly code = 'NUMERIC'
  /** What held the number: a tensor, parameter, metric or data row, as a user would name it. */
  readonly where: string

  constructor(message: string, options: ErrorOptions & { where: string }) {
    super(message, options)
    this.where = options.where
  }
}
