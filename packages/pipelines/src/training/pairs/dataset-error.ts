import { AntipodeError } from '@antipode/core'

/** A row of a data set, or a picture that it names, is missing, damaged or of another form. */
export class DatasetError extends AntipodeError {
  override readonly name = 'DatasetError'
  override readonly code = 'DATASET'
  /** The file and the row: "pairs.jsonl:12". */
  readonly where: string

  constructor(where: string, message: string, options: ErrorOptions = {}) {
    super(`${where}: ${message}`, options)
    this.where = where
  }
}
