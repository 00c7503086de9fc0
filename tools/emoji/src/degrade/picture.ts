/** A square of RGB bytes, `[side, side, 3]`. */
export interface Picture {
  readonly data: Uint8Array<ArrayBuffer>
  readonly side: number
}

/** The bytes of numbers, rounded and held to 0 to 255. */
export function bytesOf(numbers: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint8ClampedArray.from(numbers))
}
