/** What a file says of one tensor. */
export interface TensorInfo {
  /** Its element type in the word of its format: `F16`, `BF16`, `Q4_0`. */
  readonly dtype: string
  readonly shape: readonly number[]
  /** Bytes that it takes in the file. */
  readonly byteLength: number
}

/** An open file of tensors, of any format. Only its header is in memory; each read brings in one tensor. */
export interface TensorFile extends AsyncDisposable {
  readonly metadata: Readonly<Record<string, string>>
  /** In file order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /**
   * The bytes of a tensor as its format keeps them, little-endian, in a buffer of their own.
   *
   * @param into memory that they may be put in instead, from its start, if it is long enough
   * @throws {CheckpointError} if there is no such tensor, or the file ends early.
   * @throws {DisposedError} after `close`.
   */
  read(name: string, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>
  /**
   * The values of a tensor as f32: narrower types widen, wider ones round to nearest, quantised ones are multiplied
   * out. They share no memory with anything.
   *
   * @param into memory that their bytes may be put in on the way
   * @throws {UnsupportedError} for F8 dtypes; else as `read`.
   */
  readFloat32(name: string, into?: Uint8Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>>
  /** Releases the file; calling it twice is harmless. */
  close(): Promise<void>
}
