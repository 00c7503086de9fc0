import type { DatasetError } from './dataset-error.ts'

/** Two pictures of one prompt, of which people prefer one. */
export interface PreferencePair {
  readonly prompt: string
  /** The file and the row that it comes from: "pairs.jsonl:12". */
  readonly origin: string
  /** Differs from that of every other pair, and changes with the prompt and the files of the pictures. */
  readonly identity: string
  /** Bytes of both pictures' files. @throws {DatasetError} if one cannot be read */
  pictures(): Promise<PairOfPictures>
}

/** Files of two pictures, PNG or JPEG. */
export interface PairOfPictures {
  readonly chosen: Uint8Array<ArrayBuffer>
  readonly rejected: Uint8Array<ArrayBuffer>
}

/** A row of a data set: a pair, a tie, from which there is nothing to learn, or what is wrong with the row. */
export type PairRow = PreferencePair | 'tie' | DatasetError

/** Rows one after the other, as many as anybody asks for: no more than a few are in memory. */
export type PairRows = AsyncGenerator<PairRow, void, void>
